/** Longer lines are cut: they are no line of anything that is imported, and would fill the memory. */
const MAX_LENGTH = 1_000_000

/** Lines without their ends. What follows the first million characters of a line is dropped. */
export async function* readLines(text: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of withoutMark(text)) {
    const lines = chunk.split('\n')
    lines[0] = rest + lines[0]
    rest = lines.pop()!.slice(0, MAX_LENGTH)
    for (const line of lines) yield line.replace(/\r$/, '').slice(0, MAX_LENGTH)
  }
  if (rest !== '') yield rest
}

/** Without the byte order mark that some programs begin a file with. */
export async function* withoutMark(text: AsyncIterable<string>): AsyncGenerator<string> {
  let isFirst = true
  for await (const chunk of text) {
    yield isFirst ? chunk.replace(/^\uFEFF/, '') : chunk
    isFirst = false
  }
}
