import { Command, InvalidArgumentError } from 'commander'
import { startGraphEmulator } from './emulator.ts'
import { makeExample } from './example.ts'
import { welcome } from './welcome.ts'

const program = new Command('graph-emulator')
  .description("Behaves like Meta's Graph API, on this machine alone, for development and tests.")
  .option(
    '--facebook-port <port>',
    'graph.facebook.com and the dialog of www.facebook.com; 0 takes a free one',
    port,
    4801,
  )
  .option('--instagram-port <port>', 'graph.instagram.com, api.instagram.com and the dialog', port, 4802)
  .option('--threads-port <port>', 'graph.threads.net and the dialog', port, 4803)
  .option('--control-port <port>', 'the control API', port, 4800)
  .option('--redirect-uri <uri...>', 'where the dialogs of the example apps may lead', [
    'http://localhost:3000/callback',
  ])
  .option('--empty', 'make no example apps and users')
  .option('--json', 'print addresses and example as one line of JSON')
  .showHelpAfterError('Add --help to see what there is.')
  .parse()

interface Options {
  readonly facebookPort: number
  readonly instagramPort: number
  readonly threadsPort: number
  readonly controlPort: number
  readonly redirectUri: string[]
  readonly empty?: true
  readonly json?: true
}

const options = program.opts<Options>()
const { facebookPort: facebook, instagramPort: instagram, threadsPort: threads, controlPort: control } = options
try {
  const emulator = await startGraphEmulator({ ports: { facebook, instagram, threads, control } })
  const example = options.empty ? undefined : makeExample(emulator.control, options.redirectUri)
  const { urls } = emulator
  console.log(options.json ? JSON.stringify({ urls, example }) : welcome(urls, example, options.redirectUri[0]!))
  let stopping = false
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, async () => {
      if (stopping) process.exit(1)
      stopping = true
      await emulator[Symbol.asyncDispose]()
    })
  }
} catch (error) {
  console.error(`The emulator could not be started: ${(error as Error).message}`)
  process.exitCode = 1
}

function port(text: string): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 0 || number > 65_535) throw new InvalidArgumentError('It must be a port.')
  return number
}
