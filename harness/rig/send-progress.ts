import { type RunnerTestCase, recordArtifact } from 'vitest'
import { progressType } from '../timeline/progress.ts'
import type { TimelineRecorder } from '../timeline/recorder.ts'

/** Sends a scenario's progress to the reporter, one message at a time, so that a slow reader gets fewer and newer ones. */
export function sendProgress(test: Readonly<RunnerTestCase>, timeline: TimelineRecorder): Disposable {
  let isSending = false
  let isNews = false
  const send = async (): Promise<void> => {
    isNews = true
    if (isSending) return
    isSending = true
    while (isNews) {
      isNews = false
      // A run that is interrupted hears no more.
      await recordArtifact(test as RunnerTestCase, { type: progressType, progress: timeline.progress }).catch(
        () => {},
      )
    }
    isSending = false
  }
  timeline.onProgress = () => void send()
  return {
    [Symbol.dispose]() {
      isNews = false
      timeline.onProgress = () => {}
    },
  }
}
