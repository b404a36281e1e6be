// As a user whom the kernel refuses the environment of some of his own processes (not root): deploys an agent that leaves a
// process without a parent that must not be traced, and a set-uid program. Prints one line of JSON: their pids, and what the
// cleanup and the measurement after it say.
import { cleanUp, measure, sweep } from '../../index.ts'
import { isRunning, Rig } from './rig.ts'
import { until } from './until.ts'

/** The number of prctl(2), and PR_SET_DUMPABLE (linux/prctl.h). */
const PRCTL = process.arch === 'arm64' ? 167 : 157
const SET_DUMPABLE = 4

await using rig = await Rig.start()
const note = (name: string) => `open F, ">", "${rig.folder}/${name}.pid"; print F $$; close F;`
const hidden = `syscall(${PRCTL}, ${SET_DUMPABLE}, 0); ${note('hidden')} sleep 1000`
const setUid = `pipe R, W; open STDIN, "<&R"; ${note('setuid')} $^F = 100; fcntl(W, 2, 0); exec "su"`
const lost = (script: string) => `(cd /; setsid perl -e '${script}' >/dev/null 2>&1 &)`
const ref = await rig.deploy('a', {
  claude: `${lost(hidden)}; ${lost(setUid)}; until [ -s ${rig.folder}/hidden.pid ] && [ -s ${rig.folder}/setuid.pid ]; do sleep 0.01; done; echo ready; sleep 1000 & wait`,
})
const pids = { hidden: await rig.pid('hidden'), setUid: await rig.pid('setuid') }
await until('its program runs', () => isRunning(pids.setUid))
const report = await cleanUp(ref, { status: 'completed', reason: 'it said so', graceMs: 1_000 })
const { processes, workspaces } = await measure([rig.workspace])
const { suspects } = await sweep(rig.workspace, { graceMs: 0, minAgeMs: 0 })
const [row] = workspaces[0]?.agents ?? []
console.log(JSON.stringify({ pids, report, row, measured: processes?.suspects, swept: suspects }))
