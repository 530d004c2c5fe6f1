// The Node platform packages publish os and cpu as strings, which pnpm does not read: it would install all of them.
const isNode = /^node-(bin-)?(linux|darwin|win)-/
export const hooks = {
  readPackage(pkg) {
    if (isNode.test(pkg.name)) {
      for (const key of ['os', 'cpu']) if (typeof pkg[key] === 'string') pkg[key] = [pkg[key]]
      if (pkg.os?.includes('linux')) pkg.libc = ['glibc']
    }
    return pkg
  },
}
