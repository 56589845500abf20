// SPDX-License-Identifier: Apache-2.0

// Package enter runs a command in a container as a child of the container's
// init: it is born into the namespaces instead of walking in, so that its parent
// inside is pid 1, which reaps it, and it goes when that goes.
//
// There are two ways. [Call] makes the call that this project is about, which
// serves only a target that descends from the caller; the caller is the stage
// (package stage) in the place of our own process, see there. [Admin] needs no
// call and no kinship but the rights of nsenter(1), and goes beyond the proposal:
//
//	us ── starts ──► H, a stage
//	                 │ setns(pid namespace of the target)
//	                 ├─ clone ──► C1, in the namespace; its parent is outside
//	                 │            ├─ clone3(set_tid) ──► C2, the command to be
//	                 │            exit                   │ adopted by the init
//	                 └─ reaps C1, exit                   │ setns(the rest)
//	                                                     │ root, tty, user, rights
//	                                                     exec
//
// C2 must be a grandchild: an orphan is adopted by the init of its dead PARENT's
// pid namespace, and H itself lives outside (find_child_reaper(), kernel/exit.c).
//
// All of that is ordered from here, one system call at a time; nothing in the
// container ever holds our memory or descriptors; if we are killed, what waits for the next call
// ends (stage.Machine.Own); and until the exec the process
// in there cannot be read or traced by what it meets (PR_SET_DUMPABLE).
package enter
