// Where no pinned Node exists for the platform, the system's Node runs: say at once if it is too old.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 24 || (major === 24 && minor < 11)) {
  console.error(
    `Tokenkeeper needs Node 24.11 or newer; this is ${process.versions.node}. Install a newer Node and try again.`,
  )
  process.exit(1)
}
