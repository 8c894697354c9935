/* SPDX-License-Identifier: Apache-2.0 */
/* usage: kill_at WHOM NUMBER MOMENT REPORT LOG PROGRAM [ARGUMENT]...
 *
 * Runs vsock_host, and ends what WHOM names by SIGKILL at its changing call (changing_call.h) of that
 * NUMBER, the first being 1; 0: it runs to its end, and the calls are only counted.
 *   WHOM    daemon: it alone. install: vsock_host-install alone. both: at one moment. What the
 *           installer does is never counted, and it is never ended.
 *   MOMENT  before: the call is not made. after: it was. held: the call is not made, the daemon is
 *           ended, and vsock_host-install is held there until the file REPORT.go exists.
 *   REPORT  gets a line for each call that counts, and `killed` or `held` when that was done.
 *   LOG     gets what the calls did (call_log.h); "": nothing.
 * SIGTERM is handed on. It ends as the daemon does, or with 0 once it has killed; what is left runs on. */
#include "support/call_log.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TRACED_MAX = 256 };

enum role { ROLE_DAEMON, ROLE_NEW_INSTALL, ROLE_INSTALL, ROLE_NEW_INSTALLER };

struct traced {
    pid_t thread; /* 0: free */
    pid_t process;
    enum role role;
    bool in_call;         /* one that changes something: `call` */
    unsigned long number; /* of the call; 0: it does not count */
    struct changing_call call;
};

static struct {
    const char *whom;
    const char *moment;
    char go[PATH_MAX];
    unsigned long wanted;
    unsigned long count;
    FILE *report;
    FILE *log;
    bool killed;
} run;

static struct traced table[TRACED_MAX];
static volatile pid_t root;

static void hand_on(int number)
{
    (void)kill(root, number);
}

static struct traced *find(pid_t thread)
{
    for (size_t i = 0; i < TRACED_MAX; i++) {
        if (table[i].thread == thread) {
            return &table[i];
        }
    }
    return NULL;
}

static bool counts(enum role role)
{
    bool of_install = role == ROLE_NEW_INSTALL || role == ROLE_INSTALL;
    return strcmp(run.whom, "both") == 0 || of_install == (strcmp(run.whom, "install") == 0);
}

/* The installer's first instants, before it is another program, are those of vsock_host-install. */
static bool looked_at(const struct traced *traced)
{
    return traced->role != ROLE_NEW_INSTALLER && (counts(traced->role) || run.log != NULL);
}

/* --- ending it --- */

static void end_all(void)
{
    for (size_t i = 0; i < TRACED_MAX; i++) {
        if (table[i].thread != 0 && table[i].role != ROLE_NEW_INSTALLER && counts(table[i].role)) {
            (void)kill(table[i].process, SIGKILL);
        }
    }
}

static void tell(const char *what, const struct traced *traced)
{
    (void)fprintf(run.report, "%s %s %s\n", what, traced->call.name, traced->call.path);
    (void)fflush(run.report);
}

/* Its thread stays where it is meanwhile. */
static void hold(const struct traced *traced)
{
    (void)kill(root, SIGKILL);
    for (;;) { /* the daemon has ended when its threads, which are traced, were waited for */
        int status = 0;
        pid_t thread = waitpid(-1, &status, __WALL);
        if (thread < 0 || (thread == root && !WIFSTOPPED(status))) {
            break;
        }
    }
    tell("held before", traced);
    while (access(run.go, F_OK) != 0) {
        (void)poll(NULL, 0, 5);
    }
    exit(0);
}

/* Called before and after a call that counts; the thread stands still. */
static void instant(const char *moment, const struct traced *traced)
{
    bool held = strcmp(run.moment, "held") == 0;
    if (run.killed || traced->number != run.wanted ||
        strcmp(held ? "before" : run.moment, moment) != 0) {
        return;
    }
    run.killed = true;
    if (held) {
        hold(traced);
    }
    tell(strcmp(moment, "before") == 0 ? "killed before" : "killed after", traced);
    end_all();
}

/* --- the calls --- */

static void leave(struct traced *traced)
{
    if (traced->in_call && traced->number != 0) {
        instant("after", traced);
    }
    traced->in_call = false;
}

static void enter(struct traced *traced, const struct __ptrace_syscall_info *info)
{
    uint64_t arguments[6];
    for (size_t i = 0; i < 6; i++) {
        arguments[i] = info->entry.args[i];
    }
    traced->in_call = changing_call_read(traced->thread, info->entry.nr, arguments, &traced->call);
    traced->number = 0;
    if (traced->in_call && counts(traced->role) && !run.killed) {
        traced->number = ++run.count;
        (void)fprintf(run.report, "%lu %s %s\n", run.count, traced->call.name, traced->call.path);
        instant("before", traced);
    }
}

static void on_call(struct traced *traced)
{
    struct __ptrace_syscall_info info = {.op = PTRACE_SYSCALL_INFO_NONE};
    if (ptrace(PTRACE_GET_SYSCALL_INFO, traced->thread, sizeof info, &info) <= 0) {
        return; /* killed meanwhile */
    }
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
        enter(traced, &info);
    } else if (info.op == PTRACE_SYSCALL_INFO_EXIT && traced->in_call) {
        if (run.log != NULL) {
            call_log_add(run.log, traced->thread, &traced->call, info.exit.rval);
        }
        leave(traced);
    }
}

/* --- processes and threads --- */

static void go_on(const struct traced *traced, long signal_number)
{
    /* Else it was killed meanwhile. */
    (void)ptrace(looked_at(traced) ? PTRACE_SYSCALL : PTRACE_CONT, traced->thread, NULL,
                 signal_number);
}

static void on_new(struct traced *maker, bool is_thread)
{
    unsigned long made = 0;
    if (ptrace(PTRACE_GETEVENTMSG, maker->thread, NULL, &made) != 0) {
        return; /* killed meanwhile */
    }
    pid_t thread = (pid_t)made;
    enum role role = is_thread                    ? maker->role
                     : maker->role == ROLE_DAEMON ? ROLE_NEW_INSTALL
                                                  : ROLE_NEW_INSTALLER;
    struct traced *traced = find(thread);
    bool waits = traced != NULL;
    traced = waits ? traced : find(0);
    if (traced == NULL) {
        abort(); /* more threads than there can be */
    }
    *traced = (struct traced){
        .thread = thread, .process = is_thread ? maker->process : thread, .role = role};
    if (!is_thread) {
        leave(maker);
    }
    if (waits) {
        go_on(traced, 0);
    }
}

/* False: it is a program that nothing is done to, and is no longer traced. */
static bool on_exec(struct traced *traced)
{
    leave(traced);
    if (traced->role == ROLE_NEW_INSTALL) {
        traced->role = ROLE_INSTALL;
    }
    if (traced->role != ROLE_NEW_INSTALLER) {
        return true;
    }
    (void)ptrace(PTRACE_DETACH, traced->thread, NULL, NULL); /* else it was killed */
    traced->thread = 0;
    return false;
}

/* One that stops before its maker tells of it waits until then. */
static void keep(pid_t thread)
{
    struct traced *traced = find(0);
    if (traced == NULL) {
        abort(); /* more threads than there can be */
    }
    *traced = (struct traced){.thread = thread, .process = thread, .role = ROLE_NEW_INSTALLER};
}

static void on_stop(pid_t thread, int status)
{
    struct traced *traced = find(thread);
    int event = (int)((unsigned)status >> 16);
    if (traced == NULL) {
        keep(thread);
        return;
    }
    switch (event) {
    case 0:
        break;
    case PTRACE_EVENT_EXEC:
        if (!on_exec(traced)) {
            return;
        }
        break;
    case PTRACE_EVENT_CLONE:
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
        on_new(traced, event == PTRACE_EVENT_CLONE);
        break;
    default: /* its first stop */
        break;
    }
    bool of_call = WSTOPSIG(status) == (SIGTRAP | 0x80);
    if (of_call) {
        on_call(traced);
    }
    go_on(traced, event != 0 || of_call ? 0 : WSTOPSIG(status));
}

static void forget(pid_t thread)
{
    struct traced *traced = find(thread);
    if (traced != NULL) {
        traced->thread = 0;
    }
}

/* The status of the daemon. */
static int follow(void)
{
    for (;;) {
        int status = 0;
        pid_t thread = waitpid(-1, &status, __WALL);
        if (thread < 0 && errno != EINTR) {
            return status;
        }
        if (thread > 0 && WIFSTOPPED(status)) {
            on_stop(thread, status);
        } else if (thread == root) {
            return status;
        } else if (thread > 0) {
            forget(thread);
        }
    }
}

static void begin(char *argv[])
{
    const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
                         PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC;
    int status = 0;
    root = fork();
    if (root == 0) {
        (void)raise(SIGSTOP);
        (void)execv(argv[0], argv);
        _exit(127);
    }
    if (root < 0 || waitpid(root, &status, WUNTRACED) != root ||
        ptrace(PTRACE_SEIZE, root, NULL, options) != 0) {
        perror("kill_at");
        exit(125);
    }
    table[0] = (struct traced){.thread = root, .process = root, .role = ROLE_DAEMON};
    (void)signal(SIGTERM, hand_on);
    (void)kill(root, SIGCONT);
}

int main(int argc, char *argv[])
{
    if (argc < 7) {
        return 2;
    }
    run.whom = argv[1];
    run.wanted = strtoul(argv[2], NULL, 10);
    run.moment = argv[3];
    run.report = fopen(argv[4], "we");
    run.log = argv[5][0] != '\0' ? fopen(argv[5], "we") : NULL;
    (void)snprintf(run.go, sizeof run.go, "%s.go", argv[4]);
    if (run.report == NULL || (run.log == NULL && argv[5][0] != '\0')) {
        perror(argv[4]);
        return 2;
    }
    (void)setvbuf(run.report, NULL, _IOLBF, 0); /* read while it runs */
    begin(argv + 6);
    int status = follow();
    (void)fflush(run.report);
    if (run.killed && WIFSIGNALED(status)) {
        return 0;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
