import { env } from 'node:process'
import { expect, test } from 'vitest'
import fc from '../../../test/fast-check.ts'
import { cleanUp } from '../../index.ts'
import { isRunning, Rig } from '../support/rig.ts'

/** The environments that an agent may give to what it starts, for env(1). */
const OWN = [
  'env -i',
  'env -i PATH=/usr/bin:/bin',
  'env -i PATH=/usr/bin:/bin HOME=/root LANG=C.UTF-8',
  'env -i HOME=/root LOGNAME=root PATH=/usr/bin:/bin SHELL=/bin/bash TERM=screen USER=root',
  'env -i PATH="$PATH" TERM=xterm-256color PORT=3000',
  'env -i NODE_ENV=production FOO=bar',
  'env -u LEAKRIG_AGENT -u TMUX -u TMUX_PANE',
  'env -u LEAKRIG_AGENT -u TMUX_PANE TMUX=',
  'env -u TMUX -u TMUX_PANE',
  'env -u LEAKRIG_AGENT -u TMUX_PANE',
  'env',
]
/** The environments of what others start. The last one is another agent's. */
const OTHERS = [
  'env',
  'env -i HOME=/root LOGNAME=root PATH=/usr/bin:/bin SHELL=/bin/sh',
  'env PORT=3000 FOO=bar',
  'env -i HOME=/root PATH=/usr/bin:/bin TERM=xterm-256color WINDOWID=77',
  'env -i HOME=/root PATH=/usr/bin:/bin SSH_CONNECTION=1',
  'env -i HOME=/root PATH=/usr/bin:/bin INVOCATION_ID=1',
  'env -i LEAKRIG_AGENT=/tmp/T/b',
]
const process = (environments: string[]) =>
  fc.record({
    prefix: fc.constantFrom(...environments),
    launcher: fc.constantFrom('setsid', ''),
    folder: fc.constantFrom('/', '/usr', '.'),
    isTrapping: fc.boolean(),
  })
const world = fc.record({
  born: fc.array(process(OWN), { minLength: 1, maxLength: 4 }),
  others: fc.array(process(OTHERS), { maxLength: 3 }),
  isKilled: fc.boolean(),
})
type World = typeof world extends fc.Arbitrary<infer W> ? W : never

/** A shell's words for a process without a parent that notes its pid. */
const orphan = (folder: string, name: string, one: World['born'][number]): string =>
  `(cd ${one.folder}; ${one.launcher} ${one.prefix} /bin/bash -c '${one.isTrapping ? 'trap "" HUP TERM; ' : ''}echo $$ >${folder}/${name}.pid; exec sleep 1000' </dev/null >/dev/null 2>&1 &)`

async function check({ born, others, isKilled }: World): Promise<void> {
  // Set where the tests are started in tmux, where nothing tells a pane of the agent's from it.
  delete env.TERM_PROGRAM
  await using rig = await Rig.start()
  const names = born.map((_, n) => `born${n}`)
  const script = born.map((one, n) => orphan(rig.folder, `born${n}`, one)).join('\n')
  const areThere = names.map(name => `[ -s ${rig.folder}/${name}.pid ]`).join(' && ')
  const ref = await rig.deploy('a', {
    claude: `${script}\nuntil ${areThere}; do sleep 0.01; done; echo ready; sleep 1000 & wait`,
  })
  const own = await Promise.all(names.map(name => rig.pid(name)))
  for (const [n, one] of others.entries()) rig.start('bash', ['-c', orphan(rig.folder, `other${n}`, one)])
  const users = await Promise.all(others.map((_, n) => rig.pid(`other${n}`)))
  if (isKilled) rig.tmux('kill-session', '-t', '=agent_a:')
  const { suspects, problems } = await cleanUp(ref, { status: 'completed', reason: 'test', graceMs: 300 })
  expect(problems).toEqual([])
  const named = new Set(suspects.map(({ pid }) => pid))
  expect(own.filter(pid => isRunning(pid) && !named.has(pid))).toEqual([])
  expect(users.filter(pid => !isRunning(pid) || named.has(pid))).toEqual([])
}

test('every process born of an agent ends or is named, and nothing of others is', async () => {
  await fc.assert(fc.asyncProperty(world, check), { numRuns: 3, endOnFailure: true })
})

test('the same for many worlds', { tags: ['long'], timeout: 600_000 }, async () => {
  await fc.assert(fc.asyncProperty(world, check), { numRuns: 60, endOnFailure: true })
})
