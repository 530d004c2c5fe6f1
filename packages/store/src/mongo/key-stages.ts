const countOf = (place: string) => ({ $sum: { $cond: [{ $eq: ['$uses.place', place] }, 1, 0] } })
const former = {
  input: { $ifNull: ['$formerCredentials', []] },
  as: 'it',
  in: { keyId: '$$it.keyId', place: 'former' },
}
/** Counts what each key seals in accounts, by place; removed ones have the empty key. */
export const KEY_STAGES = [
  {
    $project: {
      _id: 0,
      uses: {
        $concatArrays: [
          [
            { keyId: '$keyId', place: 'current' },
            { keyId: '$previousKeyId', place: 'previous' },
            { keyId: '$appPasswordKeyId', place: 'appPassword' },
          ],
          { $map: former },
        ],
      },
    },
  },
  { $unwind: '$uses' },
  { $match: { 'uses.keyId': { $gt: '' } } },
  {
    $group: {
      _id: '$uses.keyId',
      current: countOf('current'),
      previous: countOf('previous'),
      former: countOf('former'),
      appPasswords: countOf('appPassword'),
    },
  },
  { $sort: { _id: 1 } },
  { $project: { _id: 0, keyId: '$_id', current: 1, previous: 1, former: 1, appPasswords: 1 } },
]
