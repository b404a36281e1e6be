// A test that deploys an agent, says where, and never comes to its end.
import { Rig } from './rig.ts'

const rig = await Rig.start()
await rig.deploy('a', { claude: 'setsid sleep 1000 & echo ready; sleep 1000' })
console.log(rig.folder)
setInterval(() => {}, 1_000)
