import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import { FastifyAdapter } from '@bull-board/fastify'
import type { FastifyBaseLogger } from 'fastify'
import { logError, toPublicError } from '../plugins/errors.ts'
import type { BoardDeps } from './board.ts'
import { type BoardQueues, QUEUES } from './queues.ts'

/** Bull Board as a plugin. It has no queues until Redis was reached once: `showQueues` hands them in. */
export function createBoardPlugin({ base }: Pick<BoardDeps, 'base'>, log: FastifyBaseLogger) {
  const adapter = new FastifyAdapter().setBasePath(base)
  const { setQueues } = createBullBoard({
    queues: [],
    serverAdapter: adapter,
    options: {
      uiConfig: {
        boardTitle: 'Tokenkeeper',
        hideDocsLink: true,
        // It would ask Redis for all its clients at every poll.
        showWorkers: false,
        miscLinks: [{ text: 'Log out', url: `${base}/logout` }],
      },
    },
  })
  // Its own handler would show the words of whatever failed.
  adapter.setErrorHandler((error) => {
    const { status, code, message } = toPublicError(error)
    if (status >= 500) logError(log, error, status)
    return { status: status as 500, body: { error: message, code } }
  })

  let shown: BoardQueues | null = null
  return {
    plugin: adapter.registerPlugin(),
    showQueues(queues: BoardQueues): void {
      if (shown === queues) return
      shown = queues
      setQueues(QUEUES.map(({ key, description }) => new BullMQAdapter(queues[key], { description })))
    },
  }
}
