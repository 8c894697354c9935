/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/step/step.h"
#include "support/unit.h"
#include "wire/clock.h"

static char directory[] = "/tmp/test_step.XXXXXX";

enum {
    SOON_MS = 300,   /* a deadline that is meant to pass */
    GRACE_MS = 300,  /* likewise */
    FAR_MS = 100000, /* a deadline that is not: tests end at 120 s */
};

/* What the program under test said. */
struct heard {
    char first[1280];
    char all[4096];
    size_t length;
    unsigned lines;
    unsigned long left_out;
    unsigned long texts;
    int stop_fd; /* rung at the first line, if it is one */
};

static void on_line(void *context, const char *line)
{
    struct heard *heard = context;
    unsigned long left_out = 0;
    if (sscanf(line, "(%lu lines left out)", &left_out) == 1) { // NOLINT(cert-err34-c)
        heard->left_out += left_out;
        return;
    }
    if (heard->lines++ == 0) {
        (void)snprintf(heard->first, sizeof(heard->first), "%s", line);
        if (heard->stop_fd >= 0) {
            CU_ASSERT_EQUAL(eventfd_write(heard->stop_fd, 1), 0);
        }
    }
    if (heard->length + strlen(line) + 2 < sizeof(heard->all)) {
        heard->length += (size_t)snprintf(heard->all + heard->length,
                                          sizeof(heard->all) - heard->length, "%s\n", line);
    }
}

static void on_text(void *context, struct text line)
{
    (void)line;
    ((struct heard *)context)->texts++;
}

static struct heard heard;
static struct step_result result;

static struct step step_of(char *const argv[], int64_t ms)
{
    memset(&heard, 0, sizeof(heard));
    heard.stop_fd = -1;
    return (struct step){.argv = argv,
                         .deadline_ms = clock_deadline(ms),
                         .grace_ms = GRACE_MS,
                         .stop_fd = -1,
                         .on_line = on_line,
                         .on_text = on_text,
                         .context = &heard};
}

static char *const *shell(const char *script)
{
    static char text[1024];
    static char program[] = "/bin/sh";
    static char option[] = "-c";
    static char *argv[] = {program, option, text, NULL};
    (void)snprintf(text, sizeof(text), "%s", script);
    return argv;
}

static void run_shell(const char *script, enum step_end end, int exit_status)
{
    struct step step = step_of(shell(script), FAR_MS);
    CU_ASSERT_EQUAL_FATAL(step_run(&step, &result), 0);
    CU_ASSERT_EQUAL(result.end, end);
    CU_ASSERT_EQUAL(result.exit_status, exit_status);
}

static void test_ends(void)
{
    run_shell("exit 0", STEP_EXITED, 0);
    CU_ASSERT_STRING_EQUAL(result.line, "");
    run_shell("echo out; echo error >&2; exit 255", STEP_EXITED, 255);
    CU_ASSERT_STRING_EQUAL(heard.all, "out\nerror\n");
    CU_ASSERT_STRING_EQUAL(result.line, "error");
    run_shell("printf 'a\\033'; kill -9 $$", STEP_SIGNALED, SIGKILL);
    CU_ASSERT_STRING_EQUAL(result.line, "a\\x1b");
}

static void test_cannot_start(void)
{
    struct step_result untouched = {.exit_status = 77};
    char path[64];
    (void)snprintf(path, sizeof(path), "%s/plain", directory);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CU_ASSERT_FATAL(fd >= 0);
    (void)close(fd);
    struct step step = step_of((char *const[]){path, NULL}, FAR_MS);
    CU_ASSERT_EQUAL(step_run(&step, &untouched), -EACCES);
    step = step_of((char *const[]){(char[]){"/nonexistent/program"}, NULL}, FAR_MS);
    CU_ASSERT_EQUAL(step_run(&step, &untouched), -ENOENT);
    step = step_of((char *const[]){directory, NULL}, FAR_MS);
    CU_ASSERT_EQUAL(step_run(&step, &untouched), -EACCES);
    CU_ASSERT_EQUAL(untouched.exit_status, 77);
}

static void test_environment(void)
{
    (void)setenv("NOTIFY_SOCKET", "/nonexistent", 1); /* one thread */
    struct step step = step_of((char *const[]){(char[]){"/usr/bin/env"}, NULL}, FAR_MS);
    CU_ASSERT_EQUAL(step_run(&step, &result), 0);
    CU_ASSERT_STRING_EQUAL(heard.all,
                           "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n");
    step = step_of((char *const[]){(char[]){"/bin/pwd"}, NULL}, FAR_MS);
    CU_ASSERT_EQUAL(step_run(&step, &result), 0);
    CU_ASSERT_STRING_EQUAL(result.line, "/");
    run_shell("readlink /proc/$$/fd/0", STEP_EXITED, 0);
    CU_ASSERT_STRING_EQUAL(result.line, "/dev/null");
}

static void test_descriptors(void)
{
    int leak = open("/dev/null", O_RDONLY); // NOLINT(android-cloexec-open): that is the test
    CU_ASSERT_FATAL(leak >= 0);
    run_shell("exec ls /proc/self/fd", STEP_EXITED, 0);
    CU_ASSERT_STRING_EQUAL(heard.all, "0\n1\n2\n3\n"); /* the last: its own, of the folder */
    (void)close(leak);
}

static void test_signals(void)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    CU_ASSERT_EQUAL_FATAL(pthread_sigmask(SIG_BLOCK, &all, &before), 0);
    (void)signal(SIGPIPE, SIG_IGN);
    unsigned long blocked = 1;
    unsigned long ignored = 1;
    run_shell("grep -E '^Sig(Blk|Ign):' /proc/self/status | cut -c9-", STEP_EXITED, 0);
    (void)signal(SIGPIPE, SIG_DFL);
    CU_ASSERT_EQUAL_FATAL(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
    CU_ASSERT_EQUAL(sscanf(heard.all, "%lx %lx", &blocked, &ignored), 2); // NOLINT
    CU_ASSERT_EQUAL(blocked, 0);
    /* posix_spawn leaves the two signals that glibc keeps for itself ignored: 32 and 33. */
    CU_ASSERT_EQUAL(ignored & ~0x180000000UL, 0);
}

static void test_session(void)
{
    int pid = 0;
    int group = 0;
    int session = 0;
    run_shell("echo $$ $(cut -d' ' -f5,6 /proc/$$/stat)", STEP_EXITED, 0);
    CU_ASSERT_EQUAL(sscanf(result.line, "%d %d %d", &pid, &group, &session), 3); // NOLINT
    CU_ASSERT(pid > 0 && pid == group && pid == session && session != getsid(0));
}

static void test_flood(void)
{
    enum { LINES = 1000000 }; /* of 100 bytes */
    run_shell("yes $(printf %099d 0) | head -n 1000000; echo end", STEP_EXITED, 0);
    CU_ASSERT_EQUAL(heard.texts, LINES + 1);
    CU_ASSERT_EQUAL(heard.lines + heard.left_out, LINES + 1);
    CU_ASSERT(heard.left_out > LINES / 2);
    CU_ASSERT_STRING_EQUAL(result.line, "end");
    run_shell("head -c 100000000 /dev/zero", STEP_EXITED, 0);
    CU_ASSERT_EQUAL(heard.texts, 1);
}

static void test_deadline(void)
{
    struct step step = step_of(shell("echo before; exec sleep 1000"), SOON_MS);
    CU_ASSERT_EQUAL_FATAL(step_run(&step, &result), 0);
    CU_ASSERT_EQUAL(result.end, STEP_TIMEOUT);
    CU_ASSERT_EQUAL(result.exit_status, SIGTERM);
    CU_ASSERT_STRING_EQUAL(result.line, "before");
    step = step_of(shell("while :; do echo flood; done"), SOON_MS);
    CU_ASSERT_EQUAL_FATAL(step_run(&step, &result), 0);
    CU_ASSERT_EQUAL(result.end, STEP_TIMEOUT);
    step = step_of(shell("exec >&- 2>&-; exec sleep 1000"), SOON_MS); /* the pipe is closed */
    CU_ASSERT_EQUAL_FATAL(step_run(&step, &result), 0);
    CU_ASSERT_EQUAL(result.end, STEP_TIMEOUT);
    step = step_of(shell("trap 'echo cleaned up; exit 0' TERM; echo $$; while :; do sleep 0.01; "
                         "done"),
                   2000);
    step.grace_ms = FAR_MS;
    CU_ASSERT_EQUAL_FATAL(step_run(&step, &result), 0);
    CU_ASSERT_EQUAL(result.end, STEP_TIMEOUT);
    CU_ASSERT_EQUAL(result.exit_status, SIGTERM);
    CU_ASSERT_STRING_EQUAL(result.line, "cleaned up");
}

/* Gone, or a zombie that nobody has reaped yet. */
static bool ended(pid_t pid)
{
    char path[64];
    char state = 0;
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return true;
    }
    int found = fscanf(file, "%*d %*s %c", &state); // NOLINT(cert-err34-c)
    (void)fclose(file);
    return found != 1 || state == 'Z';
}

static bool wait_ended(pid_t pid)
{
    for (int i = 0; i < 3000 && !ended(pid); i++) {
        (void)poll(NULL, 0, 10);
    }
    return ended(pid);
}

static pid_t heard_pid(void)
{
    int pid = atoi(heard.first); // NOLINT(cert-err34-c)
    CU_ASSERT_FATAL(pid > 1);
    return pid;
}

static void test_group_is_killed(void)
{
    /* Both ignore SIGTERM; the child's number is said. */
    struct step step = step_of(shell("trap '' TERM; sleep 1000 & echo $!; wait"), SOON_MS);
    heard.stop_fd = step.stop_fd = eventfd(0, EFD_CLOEXEC);
    step.deadline_ms = CLOCK_NEVER;
    CU_ASSERT_EQUAL_FATAL(step_run(&step, &result), 0);
    CU_ASSERT_EQUAL(result.end, STEP_SIGNALED);
    CU_ASSERT_EQUAL(result.exit_status, SIGKILL);
    CU_ASSERT_TRUE(wait_ended(heard_pid()));
    (void)close(step.stop_fd);
}

static void test_stubborn_child_of_killed(void)
{
    /* The program dies of SIGTERM, its child ignores it. */
    struct step step =
        step_of(shell("(trap '' TERM; exec sleep 1000) & sleep 0.1; echo $!; wait"), SOON_MS);
    heard.stop_fd = step.stop_fd = eventfd(0, EFD_CLOEXEC);
    step.deadline_ms = CLOCK_NEVER;
    CU_ASSERT_EQUAL_FATAL(step_run(&step, &result), 0);
    CU_ASSERT_EQUAL(result.end, STEP_SIGNALED);
    CU_ASSERT_EQUAL(result.exit_status, SIGTERM);
    CU_ASSERT_TRUE(wait_ended(heard_pid()));
    (void)close(step.stop_fd);
}

static void test_child_that_stays(void)
{
    run_shell("sleep 1000 & echo $!", STEP_EXITED, 0);
    pid_t pid = heard_pid();
    CU_ASSERT_FALSE(ended(pid));
    CU_ASSERT_EQUAL(kill(pid, SIGKILL), 0);
    run_shell("yes & echo $!", STEP_EXITED, 0); /* its flood ends with the pipe */
}

/* Runs a script that says one line, at which the daemon "stops". The script's own number is
 * returned: the test is its parent and has to reap it. */
static pid_t run_left(struct step *step)
{
    heard.stop_fd = step->stop_fd = eventfd(0, EFD_CLOEXEC);
    step->survives = true;
    CU_ASSERT_EQUAL_FATAL(step_run(step, &result), 0);
    CU_ASSERT_EQUAL(result.end, STEP_LEFT);
    (void)close(step->stop_fd);
    return heard_pid();
}

static int reap(pid_t pid)
{
    int status = 0;
    CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
    return status;
}

static void test_left_running(void)
{
    struct step step = step_of(shell("echo $$; exec sleep 1000"), FAR_MS);
    pid_t pid = run_left(&step);
    CU_ASSERT_FALSE(ended(pid));
    CU_ASSERT_EQUAL(kill(pid, SIGKILL), 0);
    (void)reap(pid);
}

static int write_after(bool holds_output)
{
    char script[256];
    char go[64];
    (void)snprintf(go, sizeof(go), "%s/go", directory);
    (void)snprintf(script, sizeof(script),
                   "echo $$; until [ -e %s ]; do sleep 0.01; done; echo more; echo more; exit 5",
                   go);
    struct step step = step_of(shell(script), FAR_MS);
    step.holds_output = holds_output;
    pid_t pid = run_left(&step);
    int fd = open(go, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CU_ASSERT_FATAL(fd >= 0);
    (void)close(fd);
    int status = reap(pid);
    (void)unlink(go);
    return status;
}

static void test_holds_output(void)
{
    int status = write_after(true);
    CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 5);
    status = write_after(false);
    CU_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
}

static bool lockable(const char *path)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open(path, O_RDWR | O_CLOEXEC);
    CU_ASSERT_FATAL(fd >= 0);
    bool free = fcntl(fd, F_OFD_SETLK, &lock) == 0;
    (void)close(fd);
    return free;
}

static void test_inherit(void)
{
    char path[64];
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    (void)snprintf(path, sizeof(path), "%s/lock", directory);
    for (int at = 3; at < 6; at++) { /* wherever ours is: it becomes 3 */
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        CU_ASSERT_FATAL(fd >= 0);
        int high = fcntl(fd, F_DUPFD_CLOEXEC, at);
        (void)close(fd);
        CU_ASSERT_EQUAL_FATAL(fcntl(high, F_OFD_SETLK, &lock), 0);
        struct step step = step_of(shell("echo $$; exec sleep 1000"), FAR_MS);
        step.inherit_fd = high;
        step.holds_output = true;
        pid_t pid = run_left(&step);
        (void)close(high);
        CU_ASSERT_FALSE(lockable(path));
        CU_ASSERT_EQUAL(kill(pid, SIGKILL), 0);
        (void)reap(pid);
        CU_ASSERT_TRUE(lockable(path));
    }
    int fd = open(path, O_RDWR | O_CLOEXEC);
    struct step step = step_of(shell("exec ls /proc/self/fd"), FAR_MS);
    step.inherit_fd = fd;
    CU_ASSERT_EQUAL(step_run(&step, &result), 0);
    CU_ASSERT_STRING_EQUAL(heard.all, "0\n1\n2\n3\n4\n");
    step = step_of(shell("readlink /proc/$$/fd/3"), FAR_MS);
    step.inherit_fd = fd;
    CU_ASSERT_EQUAL(step_run(&step, &result), 0);
    CU_ASSERT_STRING_EQUAL(result.line, path);
    (void)close(fd);
}

static size_t descriptors(void)
{
    size_t count = 0;
    for (int fd = 0; fd < 256; fd++) {
        count += fcntl(fd, F_GETFD) >= 0;
    }
    return count;
}

static void test_nothing_is_left(void)
{
    struct step bad = step_of((char *const[]){(char[]){"/nonexistent/program"}, NULL}, FAR_MS);
    size_t before = descriptors();
    run_shell("exit 3", STEP_EXITED, 3);
    CU_ASSERT_EQUAL(step_run(&bad, &result), -ENOENT);
    CU_ASSERT_EQUAL(descriptors(), before);
    CU_ASSERT(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

static const struct unit_test tests[] = {
    {"how a program ends", test_ends},
    {"a program that cannot be started", test_cannot_start},
    {"environment, directory, stdin", test_environment},
    {"no other descriptor", test_descriptors},
    {"no blocked or ignored signal", test_signals},
    {"session and group", test_session},
    {"100 MB of output", test_flood},
    {"deadline", test_deadline},
    {"the whole group is killed", test_group_is_killed},
    {"a child that ignores SIGTERM is killed too", test_stubborn_child_of_killed},
    {"a child that keeps the pipe is not waited for", test_child_that_stays},
    {"left running at a stop", test_left_running},
    {"a program that holds its output survives us", test_holds_output},
    {"an inherited descriptor", test_inherit},
    {"no descriptor and no zombie is left", test_nothing_is_left},
};

static void remove_directory(void)
{
    char command[64];
    (void)snprintf(command, sizeof(command), "rm -r %s", directory);
    if (system(command) != 0) { // NOLINT(cert-env33-c): a name of ours
        fprintf(stderr, "%s stays\n", directory);
    }
}

int main(void)
{
    if (mkdtemp(directory) == NULL) {
        perror(directory);
        return 1;
    }
    int status = unit_main("step", tests, sizeof(tests) / sizeof(tests[0]));
    remove_directory();
    return status;
}
