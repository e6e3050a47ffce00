import type { TrunkBoardNeeds } from '#server/trunks/trunk-board.ts'
import type { TrunkLink } from '#server/trunks/trunk-link.ts'

export class TrunkRegistration {
  registered = false
  constructor(_needs: TrunkBoardNeeds, _link: TrunkLink) {}
  stop(): void {}
}
