import type { Hook } from '@tokenkeeper/core'

/** A hook that stops an engine at one point until it is let go; only the first time it comes by. */
export function gateAt(point: string): { readonly hook: Hook; readonly reached: Promise<void>; open(): void } {
  let open = () => {}
  let reach = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  const reached = new Promise<void>((resolve) => {
    reach = resolve
  })
  return {
    reached,
    open: () => open(),
    hook(at) {
      if (at !== point) return
      reach()
      return opened
    },
  }
}

/** A hook that acts once, at one point. */
export function actAt(point: string, act: () => Promise<unknown>): Hook {
  let done = false
  return async (at) => {
    if (at !== point || done) return
    done = true
    await act()
  }
}
