import { type AccountStatus, DAY, SECOND } from '@tokenkeeper/core'
import type { AccountWrite } from '@tokenkeeper/store'
import {
  askWitnessesAgain,
  believeLateWitnesses,
  believeWhilePaused,
  believeWitnesses,
  forgetEnds,
  neverSpool,
  overtakeReconnects,
  raiseGeneration,
  repeatReconnects,
  takeInterruptionsForCommits,
  upsertReplays,
} from './alterations.ts'
import { type Alteration, type Mutation, rewriting, unconditional, withAccounts } from './mutation.ts'

/**
 * The traces that a naive protocol fails (docs/protocol.md), in their order, each by what a naive protocol would do; then
 * other rules of the protocol.
 */
export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'begin-without-generation',
    rule: 'Begin compares the generation',
    breaks: ['I2'],
    alter: unconditional(['begin'], ['generation']),
  },
  {
    name: 'begin-without-attempt',
    rule: 'Begin compares the exact attempt id seen',
    breaks: ['I5'],
    alter: unconditional(['begin'], ['attemptId', 'attemptState', 'attemptLeaseUntil']),
  },
  {
    name: 'begin-believed',
    rule: 'a Begin whose acknowledgement is lost is looked up',
    breaks: ['I2'],
    alter: believed('begin'),
  },
  {
    name: 'commit-believed',
    rule: 'a Commit whose acknowledgement is lost is looked up',
    breaks: ['I1'],
    alter: believed('commit'),
  },
  {
    name: 'fence-by-attempt',
    rule: 'a result is fenced by the generation, not by the attempt',
    breaks: ['I1'],
    alter: (deps) =>
      withAccounts(deps, ({ write }) => ({
        async write(one) {
          if (one.name !== 'commit') return write(one)
          await write({ ...one, when: { ...one.when, attemptId: one.change.set!.lastAttempt!.id } })
          return true
        },
      })),
  },
  {
    name: 'no-hold',
    rule: 'a death is held while an earlier outcome is unknown',
    breaks: ['I4'],
    alter: (deps) => ({ ...deps, times: { ...deps.times, holdMs: 0 } }),
  },
  {
    name: 'replay-revives-nobody',
    rule: 'a replay revives',
    breaks: ['I6'],
    alter: rewriting(['commit'], (write) => ({ ...write, change: { ...write.change, status: {} } })),
  },
  {
    name: 'one-witness',
    rule: 'a session is dead when two witnesses say so, minutes apart',
    breaks: ['I4'],
    alter: (deps) => ({ ...deps, times: { ...deps.times, witnessMs: 0 } }),
  },
  {
    name: 'verdict-unconditional',
    rule: 'verdicts are compare-and-set on generation and attempt',
    breaks: ['I4'],
    alter: unconditional(['dead'], ['generation', 'attemptId']),
  },
  {
    name: 'unknown-forgotten',
    rule: 'an unknown outcome keeps the attempt',
    breaks: ['I1'],
    alter: rewriting(['release'], (write) => setting(write, { attempt: null })),
  },
  {
    name: 'paused-not-recovered',
    rule: 'an unknown outcome is recovered even while the account is paused',
    breaks: ['I1', 'I6'],
    alter: rewriting(['begin'], (write) => ({ ...write, when: { ...write.when, statusIn: ['active'] } })),
  },
  {
    name: 'reseal-unconditional',
    rule: 're-seal compares generation and bytes',
    breaks: ['I3'],
    alter: unconditional(['reseal'], ['generation', 'sealedCredential', 'previousCredential']),
  },
  {
    name: 'generation-raised',
    rule: 'the generation rises only on commit, replay and reconnect',
    breaks: ['I1'],
    alter: raiseGeneration(['pause', 'resume', 'failed']),
  },
  {
    name: 'generation-raised-by-reseal',
    rule: 'the same: a re-seal does not raise it',
    breaks: ['I1'],
    alter: raiseGeneration(['reseal']),
  },
  {
    name: 'reconnect-repeated',
    rule: 'a reconnect that arrived is known by its connect id',
    breaks: ['I3'],
    alter: repeatReconnects,
  },
  {
    name: 'reconnect-overtakes',
    rule: 'a reconnect is repeated only over what it was first written over',
    breaks: ['I3'],
    alter: overtakeReconnects,
  },
  {
    name: 'replay-upserts',
    rule: 'a replay is a Commit',
    breaks: ['I3'],
    alter: upsertReplays,
  },
  {
    name: 'told-apart',
    rule: 'what is to be told is stored in the same write',
    breaks: ['I5'],
    alter: (deps) =>
      withAccounts(deps, ({ write }) => ({ write: (one) => write({ ...one, change: { ...one.change, tell: [] } }) })),
  },
  {
    name: 'local-reads',
    rule: 'a spooled answer is erased on majority evidence only',
    breaks: ['I1'],
    readsLocally: ({ presented }) => presented.length > 0,
    // To tell what is in the outbox takes a majority too, and would save the answer by chance.
    alter: (deps, { presented }) =>
      withAccounts(deps, ({ get }) => ({
        async get(id) {
          const account = await get(id)
          return account && presented.length > 0 ? { ...account, outbox: [] } : account
        },
      })),
  },
  {
    name: 'late-witness-believed',
    rule: 'a late answer to the witness falls under the jti rule',
    breaks: ['I3'],
    alter: believeLateWitnesses,
  },
  {
    name: 'interruption-taken-for-commit',
    rule: 'a Commit is mine only with the outcome refreshed',
    breaks: ['I1'],
    alter: takeInterruptionsForCommits,
  },
  {
    name: 'reconnect-crosses-removal',
    rule: 'a reconnect asks for status other than removing',
    breaks: ['I3'],
    alter: rewriting(['reconnect'], (write) => overRemoval(write, ['statusNot'], 'active')),
  },
  {
    name: 'pause-crosses-removal',
    rule: 'a pause asks for the status active',
    breaks: ['I3'],
    alter: rewriting(['pause'], (write) => overRemoval(write, ['statusIn'], 'paused')),
  },
  {
    name: 'previous-not-kept',
    rule: 'the previous credential is kept until the next commit',
    breaks: ['I1'],
    alter: rewriting(['commit'], (write) =>
      setting({ ...write, change: { ...write.change, keepPrevious: false } }, { previousCredential: null }),
    ),
  },
  {
    name: 'held-at-once',
    rule: 'within the grace a hold needs two witnesses',
    breaks: ['I1'],
    alter: rewriting(['failed'], holdAtOnce),
  },
  {
    name: 'parked-and-forgotten',
    rule: 'Park keeps an unknown outcome',
    breaks: ['I1'],
    alter: rewriting(['needs_action'], (write) => setting(write, { attempt: null })),
  },
  {
    name: 'ends-forgotten',
    rule: 'a token that ends later gets in all the same',
    breaks: ['I1'],
    alter: forgetEnds,
  },
  {
    name: 'witness-believed',
    rule: 'an answer that repeats the stored token is not committed',
    breaks: ['I3'],
    alter: believeWitnesses,
  },
  {
    name: 'witness-asked-twice',
    rule: 'the previous credential is presented once',
    breaks: ['I2'],
    alter: askWitnessesAgain,
  },
  {
    name: 'one-witness-while-paused',
    rule: 'the same two witnesses while the account is paused',
    breaks: ['I4'],
    alter: believeWhilePaused,
  },
  {
    name: 'due-never',
    rule: 'what is committed falls due again before it dies',
    breaks: ['I6'],
    alter: rewriting(['commit'], (write) =>
      setting(write, { nextRefreshAt: write.change.set!.nextRefreshAt! + 10 * 365 * DAY }),
    ),
  },
  {
    name: 'long-lease',
    rule: 'a lease is short, and ends soon after its owner',
    breaks: ['I6'],
    alter: (deps) => ({ ...deps, times: { ...deps.times, leaseMs: 60 * SECOND } }),
  },
  {
    name: 'no-spool',
    rule: 'what the store does not acknowledge is spooled',
    breaks: ['I1'],
    alter: neverSpool,
  },
]

/** An error is taken for success. */
function believed(name: string): Alteration {
  return (deps) =>
    withAccounts(deps, ({ write }) => ({
      write: (one) =>
        one.name === name
          ? write(one).then(
              () => true,
              () => true,
            )
          : write(one),
    }))
}

function holdAtOnce(write: AccountWrite): AccountWrite {
  const { attempt, failure } = write.change.set ?? {}
  if (!attempt?.unknownSince || failure?.class !== 'dead_suspected') return write
  return setting(write, { attempt: { ...attempt, state: 'held', notBefore: attempt.unknownSince + DAY } })
}

function setting(write: AccountWrite, fields: NonNullable<AccountWrite['change']['set']>): AccountWrite {
  return { ...write, change: { ...write.change, set: { ...write.change.set, ...fields } } }
}

function overRemoval(write: AccountWrite, terms: readonly string[], status: AccountStatus): AccountWrite {
  const when = Object.fromEntries(Object.entries(write.when).filter(([term]) => !terms.includes(term)))
  return { ...write, when, change: { ...write.change, status: { ...write.change.status, removing: status } } }
}
