// SPDX-License-Identifier: Apache-2.0

package launch

// Run plays the part of the keeper, the exec stage or who asks or tries, and does not return if
// this process is one of them.
func Run() {
	stages = true
	switch Stage() {
	case StageKeeper:
		Keep()
	case stageExec:
		execStage()
	case stageAsk:
		askStage()
	case stageTry:
		tryStage()
	}
}
