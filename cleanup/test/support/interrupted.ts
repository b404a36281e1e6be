// Stands for a test that is killed: deploys an agent, prints the rig's folder, and never ends.
import { Rig } from './rig.ts'

const rig = await Rig.start()
await rig.deploy('a', { claude: 'setsid sleep 1000 & echo ready; sleep 1000' })
console.log(rig.folder)
setInterval(() => {}, 1_000)
