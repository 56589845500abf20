// SPDX-License-Identifier: Apache-2.0

// Package tree reads, draws, keeps and makes trees of processes.
//
// A [Tree] is a list of processes in the numbers of ONE pid namespace, that of
// its root: what is true inside does not depend on who looks. It is read from
// /proc ([Live]), from this package's own file ([Load]) or from CRIU's images
// ([FromCRIU]), and drawn as text, Graphviz source or SVG.
//
// [Build] makes the very tree again. A plan ([NewPlan]) says in which order the
// members are born and who makes each call; the package stage carries it out,
// one system call at a time, in the members themselves. Two rules of the kernel
// shape the plan:
//
//   - A child is born in its CALLER's session, and setsid(2) makes only a new
//     one. So no single creator can make a tree of several sessions: a member
//     that leads no session is made by a process that is in its session, which
//     is its session's leader wherever that one stands above the parent.
//   - The caller of cloneat must be an ancestor of the target. A member whose
//     session's leader is dead, or stands elsewhere, is therefore born below a
//     short-lived process of that session and adopted by its parent, the way in
//     which it once came about.
package tree
