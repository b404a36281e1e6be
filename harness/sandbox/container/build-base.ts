#!/usr/bin/env node
/**
 * Builds a base image for the Dockerfile where no image registry can be reached: a minimal Debian by debootstrap, with the
 * Node that runs this. It needs root, debootstrap and a running engine. Run it by `npm run base-image`, and set
 * LEAKRIG_BASE_IMAGE to the name that it prints.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { $, which } from 'zx'

const image = 'leakrig-base:bookworm'

for (const tool of ['debootstrap', 'docker', 'tar']) {
  if (await which(tool, { nothrow: true })) continue
  console.error(
    `base-image: ${tool} is not on the PATH; install it (Debian: apt-get install debootstrap docker.io tar).`,
  )
  process.exit(2)
}
if (process.getuid?.() !== 0) {
  console.error('base-image: debootstrap makes device files and needs root; run it with sudo.')
  process.exit(2)
}

// Not below /tmp, which may be a small tmpfs: the tree takes 300 MB while it is built.
const root = await mkdtemp('/var/tmp/leakrig-base-')
const clean = () => rm(root, { recursive: true, force: true })
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => clean().then(() => process.exit(130)))
try {
  console.log('base-image: debootstrap, about half a minute ...')
  await $`debootstrap --variant=minbase --include=ca-certificates bookworm ${root}`.quiet()
  await $`install -D -m 755 ${process.execPath} ${join(root, 'usr/local/bin/node')}`
  await $`tar -C ${root} -c . | docker import --change ${'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'} - ${image}`.quiet()
  console.log(`LEAKRIG_BASE_IMAGE=${image}`)
} finally {
  await clean()
}
