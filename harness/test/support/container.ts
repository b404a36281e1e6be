import { findEngine } from '../../sandbox/container/engine.ts'
import { ensureImage } from '../../sandbox/container/image.ts'

/** The container engine that answers here. */
export const engine = await findEngine().catch(() => undefined)

/** Why there can be no container sandbox here, if so. Where no registry can be reached, there may be no image. */
export const objection = engine
  ? await ensureImage(engine).then(
      () => undefined,
      () => 'no image for the container sandbox, and none can be built here',
    )
  : 'no container engine that answers'
