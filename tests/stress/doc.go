// SPDX-License-Identifier: Apache-2.0

// Package stress holds the tests that hurt: many calls at once, and a
// supervisor that is killed at a random instant. The programs under the
// supervisor look at themselves all the time (testdata/storm.c); the tests look
// at what is left behind.
//
// CLONEAT_ROUNDS, CLONEAT_SECONDS and CLONEAT_CALLS make the tests longer than CI's.
package stress
