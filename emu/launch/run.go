package launch

// Run plays the keeper's or the exec stage's part and does not return if this process
// is one of them.
func Run() {
	switch Stage() {
	case StageKeeper:
		Keep()
	case stageExec:
		execStage()
	}
}
