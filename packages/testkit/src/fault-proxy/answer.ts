import type { ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { type Answer, cannedAnswer } from './fault.ts'
import type { Hit } from './rules.ts'

export interface Exchange {
  readonly response: ServerResponse
  /** Has the target process the request. Undefined if it gave no answer. */
  forward(): Promise<Answer | undefined>
  /** Records what the client is being told. */
  answered(status: number): void
}

/** Answers one request as the fault says. */
export async function answerWithFault(exchange: Exchange, hit: Hit): Promise<void> {
  const { fault } = hit
  switch (fault.kind) {
    case 'drop_request':
      exchange.response.destroy()
      break
    case 'drop_answer':
      await exchange.forward()
      exchange.response.destroy()
      break
    case 'delay': {
      const answer = await exchange.forward()
      await delay(fault.ms, undefined, { ref: false })
      send(exchange, answer)
      break
    }
    case 'hold': {
      const answer = await exchange.forward()
      hit.reach()
      await hit.released
      send(exchange, answer)
      break
    }
    case 'hold_request':
      hit.reach()
      await hit.released
      send(exchange, await exchange.forward())
      break
    case 'truncate':
      sendHalf(exchange, await exchange.forward(), fault.cut ?? false)
      break
    case 'rewrite': {
      const answer = await exchange.forward()
      send(exchange, answer && fault.rewrite(answer))
      break
    }
    case 'endless':
      sendForEver(exchange)
      break
    default:
      send(exchange, cannedAnswer(fault))
  }
  hit.reach()
}

/** Without an answer (the target is down) the client gets none either. */
export function send({ response, answered }: Exchange, answer: Answer | undefined): void {
  if (response.destroyed || !answer) return void response.destroy()
  answered(answer.status)
  response.writeHead(answer.status, { ...answer.headers, 'content-length': Buffer.byteLength(answer.body) })
  response.end(answer.body)
}

function sendHalf(exchange: Exchange, answer: Answer | undefined, cut: boolean): void {
  const { response, answered } = exchange
  const whole = Buffer.from(answer?.body ?? '')
  const half = whole.subarray(0, Math.floor(whole.length / 2))
  if (!cut || !answer) return void send(exchange, answer && { ...answer, status: 200, body: half })
  answered(200)
  response.writeHead(200, { ...answer.headers, 'content-length': whole.length })
  response.write(half, () => response.destroy())
}

/** Well-formed JSON as far as it goes, as fast as the client reads, until it hangs up. */
function sendForEver({ response, answered }: Exchange): void {
  const chunk = 'a'.repeat(64 * 1024)
  answered(200)
  response.writeHead(200, { 'content-type': 'application/json' })
  response.on('drain', () => response.write(chunk))
  response.write(`{"accessJwt":"${chunk}`)
}
