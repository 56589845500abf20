package transplant

import (
	"golang.org/x/sys/unix"

	"cloneat-emu/ptrace"
)

// sessionKeyring is KEY_SPEC_SESSION_KEYRING, -3, as a register holds it.
const sessionKeyring = ^uintptr(2)

// askKeyring queues the question for the serial number of the session keyring.
// Who has none gets that of its user by being asked, as at any other use of a
// keyring (security/keys/process_keys.c, lookup_user_key()).
func askKeyring(s *script, serial *ptrace.Result) {
	s.ask(serial, "keyctl(GET_KEYRING_ID)", unix.SYS_KEYCTL, unix.KEYCTL_GET_KEYRING_ID, sessionKeyring, 0)
}

// checkKeyring refuses a child that would have the keys of the target's session.
// No call gives a process a session keyring that another one has. It comes after
// the credentials: a C that has none is asked as the caller's user, and so gets
// the same as the caller. On a kernel without keys both answer ENOSYS.
func (b *build) checkKeyring() error {
	var serial ptrace.Result
	askKeyring(b.script, &serial)
	b.script.then(func() error { return b.judgeKeyring(serial) })
	return nil
}

func (b *build) judgeKeyring(serial ptrace.Result) error {
	switch {
	case serial == b.snap.own.keyring:
		return nil
	case !b.opt.BestEffort:
		return unsupported("the target has another session keyring")
	}
	b.leave("the child has the target's session keyring")
	return nil
}
