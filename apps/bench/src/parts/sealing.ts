import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { makeId, SECOND } from '@tokenkeeper/core'
import { createSealer, parseKeyRing } from '@tokenkeeper/store'
import { instantSession } from '@tokenkeeper/testkit'
import type { Sizes } from '../sizes.ts'
import { alternate, median, ratioOf, rounded } from '../statistics.ts'

const NONCE_BYTES = 12
const ALGORITHM = 'aes-256-gcm'

/** Credentials sealed, and opened again, a second. The floor: the cipher alone, on the same bytes with one nonce. */
export async function measureSealing({ seals, rounds }: Sizes) {
  const key = randomBytes(32)
  const sealer = createSealer(parseKeyRing(`k1:${key.toString('base64')}`))
  const id = makeId()
  const { accessJwt: accessToken, refreshJwt: refreshToken } = instantSession(`did:plc:${id}`, 1)
  const credential = JSON.stringify({ accessToken, refreshToken })
  const { sealed } = sealer.seal(credential, id, 'credential')
  const nonce = randomBytes(NONCE_BYTES)
  const encrypt = () => {
    const cipher = createCipheriv(ALGORITHM, key, nonce)
    return { bytes: Buffer.concat([cipher.update(credential), cipher.final()]), tag: cipher.getAuthTag() }
  }
  const { bytes, tag } = encrypt()
  const decrypt = () => {
    const decipher = createDecipheriv(ALGORITHM, key, nonce).setAuthTag(tag)
    return Buffer.concat([decipher.update(bytes), decipher.final()]).toString()
  }
  const perSecond = async (action: () => unknown) => {
    const begun = performance.now()
    for (let i = 0; i < seals; i++) action()
    return (seals * SECOND) / (performance.now() - begun)
  }
  const seal = await alternate(
    rounds,
    () => perSecond(() => sealer.seal(credential, id, 'credential')),
    () => perSecond(encrypt),
  )
  const open = await alternate(
    rounds,
    () => perSecond(() => sealer.open(sealed, id, 'credential')),
    () => perSecond(decrypt),
  )
  const figures = (rates: typeof seal) => ({
    perSecond: rounded(median(rates.ours)),
    floorPerSecond: rounded(median(rates.floor)),
    ratio: rounded(ratioOf(rates)),
  })
  return { bytes: credential.length, seal: figures(seal), open: figures(open) }
}
