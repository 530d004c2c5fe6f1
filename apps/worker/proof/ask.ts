/** One request from inside a machine: METHOD URL KEY BODY. Prints status and answer. */
const [, , method = 'GET', url = '', key = '', body] = process.argv
const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
const answer = await fetch(url, { method, headers, ...(body ? { body } : {}) })
console.log(`${answer.status} ${await answer.text()}`)
setInterval(() => {}, 60_000)
