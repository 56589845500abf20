// SPDX-License-Identifier: Apache-2.0

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

// askRequestKey queues the question where keys go that are requested
// (KEYCTL_SET_REQKEY_KEYRING, which answers with the old value).
func askRequestKey(s *script, where *ptrace.Result) {
	const noChange = ^uintptr(0) // KEY_REQKEY_DEFL_NO_CHANGE, -1
	s.ask(where, "keyctl(SET_REQKEY_KEYRING)", unix.SYS_KEYCTL, unix.KEYCTL_SET_REQKEY_KEYRING, noChange)
}

// The values of KEYCTL_SET_REQKEY_KEYRING by which a keyring of the thread's or process's
// own is made at once (security/keys/keyctl.c, keyctl_set_reqkey_keyring()).
const (
	reqkeyDefault = 0
	reqkeyThread  = 1
	reqkeyProcess = 2
)

// setRequestKey gives C the caller's. Where that would make a keyring that fork(2)
// does not hand down, it gets the default, which has the same effect until C makes
// such a keyring: requested keys go to the session's. An exec would take the keyring
// away again, but leaves more marks than that.
func (b *build) setRequestKey() {
	want := b.snap.own.requestKey
	if want.Errno != 0 {
		return
	}
	if want.Value == reqkeyThread || want.Value == reqkeyProcess {
		want.Value = reqkeyDefault
	}
	b.script.try("keyctl(SET_REQKEY_KEYRING)", unix.SYS_KEYCTL, unix.KEYCTL_SET_REQKEY_KEYRING, want.Value)
}

// checkKeyring refuses a child that would have the keys of the target's session.
// No call gives a process a session keyring that another one has. It comes after
// the credentials: a C that has none is asked as the caller's user, and so gets
// the same as the caller. On a kernel without keys both answer ENOSYS.
func (b *build) checkKeyring() error {
	var serial ptrace.Result
	b.setRequestKey()
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
