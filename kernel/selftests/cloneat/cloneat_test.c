// SPDX-License-Identifier: GPL-2.0
/*
 * Runner of the conformance suite of cloneat(): lists, runs and reports the
 * checks of one program.  See cloneat_test.h.
 */
#define CT_LINE 0
#include "cloneat_test.h"
#include <dirent.h>
#include <sys/mount.h>

enum outcome { RUNNING, FAILED, SKIPPED, DONE };

/* What every process of a check shares with the keeper and the runner. */
struct shared {
	int outcome;
	int line;
	char text[1024];
	long slot[CT_SLOTS];
	int dirs;
	char dir[16][256];
};

static struct shared *shared;
static struct ct_check *checks;
static struct ct_check *current;

volatile long *ct_slot;

/* In the order of lines, whatever the order of constructors. */
void ct_add(struct ct_check *check)
{
	struct ct_check **at = &checks;

	while (*at && (*at)->line <= check->line)
		at = &(*at)->next;
	check->next = *at;
	*at = check;
}

const void *ct_arg(void)
{
	return current->arg;
}

/* --- expectations --- */

/* The first outcome counts, but for a failure after the body's end. */
static void settle(enum outcome outcome, const char *text)
{
	int from = shared->outcome;

	do {
		if (from != RUNNING && (from != DONE || outcome != FAILED))
			return;
	} while (!__atomic_compare_exchange_n(&shared->outcome, &from, outcome,
					      false, __ATOMIC_SEQ_CST,
					      __ATOMIC_SEQ_CST));
	snprintf(shared->text, sizeof(shared->text), "%s", text);
}

void ct_at(int line)
{
	shared->line = line;
}

void ct_fail(int line, const char *format, ...)
{
	char text[800], full[900];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	snprintf(full, sizeof(full), "line %d: %s", line ? line : shared->line,
		 text);
	settle(FAILED, full);
	ct_exit(1);
}

void ct_skip(const char *format, ...)
{
	char text[800];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	settle(SKIPPED, text);
	ct_exit(0);
}

const char *ct_errname(int err)
{
	const char *name = strerrorname_np(err);

	return err == 0 ? "success" : name ? name : "an unknown errno";
}

void ct_expect_errno(int line, const char *call, long got, int want)
{
	if (got == -want)
		return;
	if (got == 0) {
		/* Perhaps the child of a call that had to fail: be quiet. */
		ct_exit_thread(99);
	}
	if (got > 0)
		ct_fail(line, "%s: expected %s, got %ld", call,
			ct_errname(want), got);
	ct_fail(line, "%s: expected %s, got %s", call, ct_errname(want),
		ct_errname(-got));
}

void ct_expect_eq(int line, const char *what, long got, long want)
{
	if (got != want)
		ct_fail(line, "%s: expected %ld, got %ld", what, want, got);
}

long ct_expect_ok(int line, const char *call, long got)
{
	if (got < 0)
		ct_fail(line, "%s: expected success, got %s", call,
			ct_errname(-got));
	return got;
}

/* --- one check --- */

void ct_remove_later(const char *path)
{
	const size_t room = sizeof(shared->dir[0]);
	int i = __atomic_fetch_add(&shared->dirs, 1, __ATOMIC_SEQ_CST);

	expect(i < (int)ct_count(shared->dir));
	expect(strlen(path) < room);
	snprintf(shared->dir[i], room, "%s", path);
}

/* A control group is busy until the last of its processes is all gone. */
static void remove_dirs(void)
{
	while (shared->dirs--)
		while (rmdir(shared->dir[shared->dirs]) && errno == EBUSY)
			usleep(1000);
}

static void run_body(const struct ct_check *check)
{
	pid_t pid = ct_pid();

	shared->line = check->line;
	alarm(CT_SECONDS);
	check->body();
	if (ct_pid() != pid)
		ct_fail(shared->line, "a child ran past its code");
	settle(DONE, "");
	ct_exit(0);
}

/*
 * The parent's number in /proc/PID/stat, and whether anything of the process
 * lives: a dead leader may have left threads.  False if it is gone.
 */
static bool read_stat(pid_t pid, bool *live, pid_t *parent)
{
	char path[64], text[512], state, *end;
	int threads;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	end = fgets(text, sizeof(text), f) ? strrchr(text, ')') : NULL;
	fclose(f);
	if (!end || sscanf(end + 1,
			   " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %d",
			   &state, parent, &threads) != 3)
		return false;
	*live = threads > 1 || (state != 'Z' && state != 'X');
	return true;
}

/* Kills the keeper's children; counts those that were alive. */
static int kill_children(void)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	pid_t parent;
	bool lives;
	int live = 0;

	if (!dir)
		return 0;
	while ((entry = readdir(dir))) {
		pid_t pid = atoi(entry->d_name);

		if (pid <= 0 || !read_stat(pid, &lives, &parent) ||
		    parent != getpid() || !lives)
			continue;
		live++;
		kill(pid, SIGKILL);
	}
	closedir(dir);
	return live;
}

/*
 * Whatever is killed leaves its children to the keeper, the next subreaper
 * up: after some rounds there is nothing left.
 */
static int end_leftovers(void)
{
	int live = 0;

	do {
		live += kill_children();
	} while (waitpid(-1, NULL, __WALL) > 0);
	return live;
}

static void explain_end(int status)
{
	char text[200];

	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		snprintf(text, sizeof(text), "line %d: no end after %d s",
			 shared->line, CT_SECONDS);
	else if (WIFSIGNALED(status))
		snprintf(text, sizeof(text), "line %d: ended by signal %d",
			 shared->line, WTERMSIG(status));
	else
		snprintf(text, sizeof(text), "line %d: ended with status %d",
			 shared->line, WEXITSTATUS(status));
	settle(FAILED, text);
}

static void keep(const struct ct_check *check)
{
	int status = 0, live;
	char text[100];
	pid_t pid;

	must(prctl(PR_SET_CHILD_SUBREAPER, 1));
	pid = must(fork());
	if (pid == 0)
		run_body(check);
	while (waitpid(pid, &status, 0) != pid)
		;
	if (shared->outcome == RUNNING)
		explain_end(status);
	live = end_leftovers();
	remove_dirs();
	if (live) {
		snprintf(text, sizeof(text),
			 "%d live processes were left behind", live);
		settle(FAILED, text);
	}
	_exit(0);
}

/* --- the list --- */

static const char *program;

static void report(int number, const struct ct_check *check)
{
	bool good = shared->outcome == DONE || shared->outcome == SKIPPED;

	printf("%s %d - %s.%s", good ? "ok" : "not ok", number, program,
	       check->name);
	if (shared->outcome == SKIPPED)
		printf(" # SKIP %s", shared->text);
	else if (!good)
		printf(" # %s", shared->text);
	putchar('\n');
	fflush(stdout);
}

/* False if the check failed. */
static bool run(int number, struct ct_check *check)
{
	pid_t pid;

	memset(shared, 0, sizeof(*shared));
	current = check;
	pid = fork();
	if (pid == 0)
		keep(check);
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		settle(FAILED, "the keeper could not be run");
	if (shared->outcome == RUNNING)
		settle(FAILED, "the keeper was killed");
	report(number, check);
	return shared->outcome != FAILED;
}

static bool named(const struct ct_check *check, const char *name)
{
	size_t n = strlen(program);

	if (!strncmp(name, program, n) && name[n] == '.')
		name += n + 1;
	return !strcmp(check->name, name);
}

static bool wanted(const struct ct_check *check, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (named(check, *names))
			return true;
	return false;
}

static void list(bool describe)
{
	for (struct ct_check *c = checks; c; c = c->next) {
		printf("%s.%s", program, c->name);
		if (describe)
			printf("\t%s", c->verdict);
		if (describe && c->documented)
			printf("\tdocumented: %s", c->documented);
		putchar('\n');
	}
}

/* A name that is no check is the caller's mistake, never an empty success. */
static int check_names(char **names)
{
	for (; *names; names++) {
		char *only[] = { *names, NULL };
		struct ct_check *c = checks;

		while (c && !wanted(c, only))
			c = c->next;
		if (c)
			continue;
		fprintf(stderr, "%s: no check is named %s (see --list)\n",
			program, *names);
		return -1;
	}
	return 0;
}

static int run_all(char **names)
{
	int number = 0, failed = 0;

	for (struct ct_check *c = checks; c; c = c->next)
		number += wanted(c, names);
	printf("TAP version 13\n1..%d\n", number);
	fflush(stdout);
	number = 0;
	for (struct ct_check *c = checks; c; c = c->next)
		if (wanted(c, names))
			failed += !run(++number, c);
	return failed != 0;
}

/* Whoever started us may ignore or block some, as nohup(1) does. */
static void default_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void prepare(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	ct_slot = shared->slot;
	if (access("/proc/self/stat", F_OK))
		mount("proc", "/proc", "proc", 0, NULL);
	default_signals();
}

int main(int argc, char **argv)
{
	long probe;

	if (argc == 2 && !strcmp(argv[1], "--pause"))
		for (;;)
			pause();
	program = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
	if (argc == 2 && (!strcmp(argv[1], "--list") ||
			  !strcmp(argv[1], "--describe"))) {
		list(!strcmp(argv[1], "--describe"));
		return 0;
	}
	if (check_names(argv + 1))
		return 2;
	prepare();
	probe = cloneat(0, 0, NULL);
	if (probe == -ENOSYS) {
		printf("Bail out! cloneat() is not there (ENOSYS)\n");
		return 1;
	}
	return run_all(argv + 1);
}
