import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { CannotMeasureError } from '../../errors.ts'
import type { ReproductionApi } from '../../reproduction/api.ts'
import { connectTo } from '../../reproduction/connect.ts'
import { serve } from '../../reproduction/serve.ts'
import { socketFile } from '../../reproduction/state-folder.ts'

let base = ''
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'leakrig-state-'))
  vi.stubEnv('XDG_RUNTIME_DIR', base)
})
afterAll(() => rmSync(base, { recursive: true }))

test.for([CannotMeasureError, TypeError])(
  'an error of the other process is of its class again: %o',
  async one => {
    const moment = async () => {
      throw new one('The sandbox ended.')
    }
    await using _ = await serve(socketFile(1), { moment } as unknown as ReproductionApi)
    using connection = await connectTo(socketFile(1))
    const error = await connection?.api.moment().catch(error => error)
    expect(error).toMatchObject({ name: new one('').name, message: 'The sandbox ended.' })
    // Only this one is printed without its stack.
    expect(error instanceof CannotMeasureError).toBe(one === CannotMeasureError)
  },
)
