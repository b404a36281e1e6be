import { CleanupError } from '../errors.ts'
import { HEADER } from './managed-file.ts'
import { commandOf, type ServicePlan } from './plan.ts'

export const LABEL = 'leakrig.daemon'

/**
 * The property list for a plan; launchd writes the daemon's output to the file `log`. Throws a CleanupError
 * (`bad-argument`) for a character that XML cannot contain.
 */
export function launchdPlist(plan: ServicePlan, log: string): string {
  const environment = Object.entries(plan.environment)
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- ${HEADER} -->
<plist version="1.0">
<dict>
${entry('Label', text(LABEL))}
${entry('ProgramArguments', `<array>${commandOf(plan).map(text).join('')}</array>`)}
${entry('EnvironmentVariables', `<dict>${environment.map(([name, value]) => key(name) + text(value)).join('')}</dict>`)}
${entry('WorkingDirectory', text('/'))}
${entry('RunAtLoad', '<true/>')}
  <!-- Restart after a failure, not after a stop. -->
${entry('KeepAlive', `<dict>${key('SuccessfulExit')}<false/></dict>`)}
${entry('ThrottleInterval', '<integer>10</integer>')}
  <!-- Only the daemon is killed: a tmux server that it started holds sessions of agents and users. -->
${entry('AbandonProcessGroup', '<true/>')}
${entry('ProcessType', text('Background'))}
${entry('StandardOutPath', text(log))}
${entry('StandardErrorPath', text(log))}
</dict>
</plist>
`
}

const key = (name: string): string => `<key>${escapeXml(name)}</key>`
const text = (value: string): string => `<string>${escapeXml(value)}</string>`
const entry = (name: string, value: string): string => `  ${key(name)}${value}`

/** XML 1.0 cannot contain most control characters, not even escaped, and would turn a carriage return into a newline. */
function escapeXml(value: string): string {
  if (/[^\t\n\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u.test(value))
    throw new CleanupError(
      'bad-argument',
      `${JSON.stringify(value)} is refused: it has a character that a property list cannot contain; rename the folder.`,
    )
  return (
    value
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      // They would rewrite the terminal that shows the file, or turn its direction of writing.
      .replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, character => `&#x${character.codePointAt(0)?.toString(16)};`)
  )
}
