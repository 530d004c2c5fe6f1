/** Where a restored database goes. */
export interface Target {
  readonly kind: 'sqlite' | 'mongodb'
  /** Tells one target from another. */
  readonly name: string
  /** Begins the names of files that lie there while a restore is under way. */
  readonly workPath: string
  /** Whether another process of this machine has it open, as far as that can be known. */
  isInUse(): boolean
  /** True if it holds no account, or if what it holds was put there by the cut-off restore of this stage. */
  isFree(stage: string): Promise<boolean>
  /** Whether what stands there can be moved aside. */
  readonly canReplace: boolean
  /** Puts the stage in its place. Resolves with where that is now which stood there; null = nothing did. */
  put(stage: string, onProgress: (done: number) => void): Promise<string | null>
}
