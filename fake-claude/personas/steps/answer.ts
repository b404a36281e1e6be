import type { Claude } from '../../process/claude.ts'

export async function answer(claude: Claude): Promise<void> {
  const text = 'Done.'
  await claude.output.emit(claude.events.text(text))
  await claude.hooks.run('Stop')
  await claude.output.emit(claude.events.result(text))
  claude.answered = true
}
