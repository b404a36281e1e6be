import { asFound } from './as-found.ts'
import type { Strategy, StrategyName } from './strategy.ts'
import { withCleanup } from './with-cleanup.ts'

export const strategies: Record<StrategyName, Strategy> = {
  none: asFound,
  immediate: withCleanup('immediate', { immediate: true, daemon: false }),
  daemon: withCleanup('daemon', { immediate: false, daemon: true }),
  hybrid: withCleanup('hybrid', { immediate: true, daemon: true }),
}
