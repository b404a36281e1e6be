import type { ImageInspectInfo } from 'dockerode'
import type { Dockerode } from './build.ts'

const label = 'leakrig.image'

/** The images that we make, and how long each stays without being used, in ms. */
const kinds = {
  /** The system, from the Dockerfile. */
  system: 30 * 24 * 3_600_000,
  /** What an install step has made of a system. */
  install: 30 * 24 * 3_600_000,
  /** The system with the files of one version of the rig, and with what was mounted. */
  run: 3_600_000,
}
export type OwnImage = keyof typeof kinds

/** The label of an image that we make. Its containers inherit it. */
export const ownImageLabel = (kind: OwnImage): Record<string, string> => ({ [label]: kind })

/** Notes that an image is used now, once in ten minutes. Giving it its name again does that, for engines that keep it. */
export async function noteUse(dockerode: Dockerode, name: string, info: ImageInspectInfo): Promise<void> {
  if (Date.now() - lastUse(info) < 600_000) return
  const [repo = '', tag = ''] = name.split(':')
  await dockerode.getImage(name).tag({ repo, tag })
}

/**
 * Removes images of ours that were not used for long. One that a container runs from stays: the engine refuses to remove it.
 * A rig whose image is removed before it starts the next container makes that image again.
 */
export async function removeOldImages(dockerode: Dockerode, now = Date.now()): Promise<void> {
  for (const { Id, Labels, RepoTags } of await dockerode.listImages({ filters: { label: [label] } })) {
    const keepMs = kinds[Labels?.[label] as OwnImage] ?? kinds.run
    for (const name of RepoTags?.length ? RepoTags : [Id]) {
      const image = dockerode.getImage(name.startsWith('<none>') ? Id : name)
      // Another rig may be removing it at this moment.
      const info = await image.inspect().catch(() => undefined)
      if (info && now - lastUse(info) > keepMs) await image.remove().catch(() => {})
    }
  }
}

function lastUse({ Created, Metadata }: ImageInspectInfo & { Metadata?: { LastTagTime?: string } }): number {
  const times = [Created, Metadata?.LastTagTime ?? ''].map(time => Date.parse(time))
  return Math.max(...times.filter(Number.isFinite), 0)
}
