/** The floor of a start: a Node process that loads nothing, is ready, and stays until it is killed. */
process.send?.('ready')
setInterval(() => {}, 60_000)
