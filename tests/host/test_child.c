/* SPDX-License-Identifier: Apache-2.0 */
#include "child_output.h"
#include "support/folder.h"
#include "wire/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char directory[] = "/tmp/test_child.XXXXXX";
static bool no_pidfd;

/* In place of the C library's. */
int pidfd_open(pid_t pid, unsigned int flags)
{
    if (no_pidfd) {
        errno = EMFILE;
        return -1;
    }
    return (int)syscall(SYS_pidfd_open, pid, flags);
}

UNIT_TEST(test_ends, "how a program ends")
{
    run_shell("exit 0", CHILD_EXITED, 0);
    CHECK_STRING(result.line, "");
    run_shell("echo out; echo error >&2; exit 255", CHILD_EXITED, 255);
    CHECK_STRING(printed.all, "out\nerror\n");
    CHECK_STRING(result.line, "error");
    run_shell("printf 'a\\033'; kill -9 $$", CHILD_SIGNALED, SIGKILL);
    CHECK_STRING(result.line, "a\\x1b");
}

static void run_with_stdout(const char *script, char *bytes, size_t size)
{
    struct child_command command = command_of(shell(script), FAR_MS);
    command.stdout_bytes = bytes;
    command.stdout_size = size;
    REQUIRE_EQUAL(child_run(&command, &result), 0);
    CHECK_EQUAL(result.end, CHILD_EXITED);
}

/* A stdout of its own is taken byte for byte, and kept apart from what goes to the log. */
UNIT_TEST(test_said, "a stdout of its own")
{
    char bytes[8] = "xxxxxxx";
    run_with_stdout("echo 1234; echo log >&2", bytes, sizeof bytes);
    CHECK_EQUAL(result.stdout_length, 5);
    CHECK_BYTES(bytes, "1234\nxx", sizeof bytes);
    CHECK_STRING(result.line, "log");
    CHECK_STRING(printed.all, "log\n");
    run_with_stdout("echo only a log >&2", bytes, sizeof bytes);
    CHECK_EQUAL(result.stdout_length, 0);
    run_with_stdout("printf 12345678", bytes, sizeof bytes);
    CHECK_EQUAL(result.stdout_length, 8);
    CHECK_BYTES(bytes, "12345678", sizeof bytes);
    run_with_stdout("head -c 1000000 /dev/zero; echo done >&2", bytes, sizeof bytes);
    CHECK_EQUAL(result.stdout_length, 1000000); /* the program is not held up */
    CHECK_STRING(result.line, "done");
}

/* No descriptor is left once the program runs: it is not harmed, and waited for all the same. */
UNIT_TEST(test_no_descriptor_for_it, "no descriptor to wait for it by")
{
    no_pidfd = true;
    run_shell("sleep 0.2; echo out; exit 3", CHILD_EXITED, 3);
    CHECK_STRING(printed.all, "out\n");
    run_shell("exec >/dev/null 2>&1; kill -9 $$", CHILD_SIGNALED, SIGKILL);
    struct child_command command = command_of(shell("sleep 100"), SOON_MS);
    CHECK_EQUAL(child_run(&command, &result), 0);
    CHECK_EQUAL(result.end, CHILD_TIMEOUT);
    no_pidfd = false;
}

UNIT_TEST(test_end_format, "the end of a program in words")
{
    static const struct {
        struct child_result result;
        const char *text;
    } rows[] = {
        {{.end = CHILD_EXITED, .exit_status = 255}, "exited with status 255"},
        {{.end = CHILD_SIGNALED, .exit_status = 64}, "was ended by signal 64 (SIG?)"},
        {{.end = CHILD_TIMEOUT, .exit_status = 15}, "timed out, killed by signal 15 (SIGTERM)"},
        {{.end = CHILD_LEFT}, "was left running"},
    };
    char text[CHILD_END_MAX];
    CHECK_EACH(i, rows, "%s", rows[i].text) {
        child_end_format(&rows[i].result, text);
        CHECK_STRING(text, rows[i].text);
    }
}

UNIT_TEST(test_cannot_start, "a program that cannot be started")
{
    struct child_result untouched = {.exit_status = 77};
    char path[64];
    (void)snprintf(path, sizeof path, "%s/plain", directory);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    REQUIRE_COMPARE(fd, >=, 0);
    (void)close(fd);
    struct child_command command = command_of((char *const[]){path, NULL}, FAR_MS);
    CHECK_EQUAL(child_run(&command, &untouched), -EACCES);
    command = command_of((char *const[]){(char[]){"/nonexistent/program"}, NULL}, FAR_MS);
    CHECK_EQUAL(child_run(&command, &untouched), -ENOENT);
    command = command_of((char *const[]){directory, NULL}, FAR_MS);
    CHECK_EQUAL(child_run(&command, &untouched), -EACCES);
    CHECK_EQUAL(untouched.exit_status, 77);
}

UNIT_TEST(test_environment, "environment, directory, stdin")
{
    (void)setenv("NOTIFY_SOCKET", "/nonexistent", 1); /* one thread */
    struct child_command command =
        command_of((char *const[]){(char[]){"/usr/bin/env"}, NULL}, FAR_MS);
    CHECK_EQUAL(child_run(&command, &result), 0);
    CHECK_STRING(printed.all,
                 "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n");
    command = command_of((char *const[]){(char[]){"/bin/pwd"}, NULL}, FAR_MS);
    CHECK_EQUAL(child_run(&command, &result), 0);
    CHECK_STRING(result.line, "/");
    run_shell("readlink /proc/$$/fd/0", CHILD_EXITED, 0);
    CHECK_STRING(result.line, "/dev/null");
}

UNIT_TEST(test_descriptors, "no other descriptor")
{
    int leak = open("/dev/null", O_RDONLY); // NOLINT(android-cloexec-open): that is the test
    REQUIRE_COMPARE(leak, >=, 0);
    run_shell("exec ls /proc/self/fd", CHILD_EXITED, 0);
    CHECK_STRING(printed.all, "0\n1\n2\n3\n"); /* the last: its own, of the folder */
    (void)close(leak);
}

UNIT_TEST(test_signals, "no blocked or ignored signal")
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    REQUIRE_EQUAL(pthread_sigmask(SIG_BLOCK, &all, &before), 0);
    (void)signal(SIGPIPE, SIG_IGN);
    unsigned long blocked = 1;
    unsigned long ignored = 1;
    run_shell("grep -E '^Sig(Blk|Ign):' /proc/self/status | cut -c9-", CHILD_EXITED, 0);
    (void)signal(SIGPIPE, SIG_DFL);
    REQUIRE_EQUAL(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
    CHECK_EQUAL(sscanf(printed.all, "%lx %lx", &blocked, &ignored), 2); // NOLINT
    CHECK_EQUAL(blocked, 0);
    /* posix_spawn leaves the two signals that glibc keeps for itself ignored: 32 and 33. */
    CHECK_EQUAL(ignored & ~0x180000000UL, 0);
}

UNIT_TEST(test_session, "session and group")
{
    int pid = 0;
    int group = 0;
    int session = 0;
    run_shell("echo $$ $(cut -d' ' -f5,6 /proc/$$/stat)", CHILD_EXITED, 0);
    CHECK_EQUAL(sscanf(result.line, "%d %d %d", &pid, &group, &session), 3); // NOLINT
    CHECK_COMPARE(pid, >, 0);
    CHECK_EQUAL(pid, group);
    CHECK_EQUAL(pid, session);
    CHECK_COMPARE(session, !=, getsid(0));
}

UNIT_TEST(test_flood, "100 MB of output")
{
    enum { LINES = 1000000 }; /* of 100 bytes */
    run_shell("yes $(printf %099d 0) | head -n 1000000; echo end", CHILD_EXITED, 0);
    CHECK_EQUAL(printed.texts, LINES + 1);
    CHECK_EQUAL(printed.lines + printed.left_out, LINES + 1);
    CHECK_COMPARE(printed.left_out, >, LINES / 2);
    CHECK_STRING(result.line, "end");
    run_shell("head -c 100000000 /dev/zero", CHILD_EXITED, 0);
    CHECK_EQUAL(printed.texts, 1);
}

UNIT_TEST(test_deadline, "deadline")
{
    struct child_command command = command_of(shell("echo before; exec sleep 1000"), SOON_MS);
    REQUIRE_EQUAL(child_run(&command, &result), 0);
    CHECK_EQUAL(result.end, CHILD_TIMEOUT);
    CHECK_EQUAL(result.exit_status, SIGTERM);
    CHECK_STRING(result.line, "before");
    command = command_of(shell("while :; do echo flood; done"), SOON_MS);
    REQUIRE_EQUAL(child_run(&command, &result), 0);
    CHECK_EQUAL(result.end, CHILD_TIMEOUT);
    command = command_of(shell("exec >&- 2>&-; exec sleep 1000"), SOON_MS); /* the pipe is closed */
    REQUIRE_EQUAL(child_run(&command, &result), 0);
    CHECK_EQUAL(result.end, CHILD_TIMEOUT);
    command =
        command_of(shell("trap 'echo cleaned up; exit 0' TERM; echo $$; while :; do sleep 0.01; "
                         "done"),
                   2000);
    command.grace_ms = FAR_MS;
    REQUIRE_EQUAL(child_run(&command, &result), 0);
    CHECK_EQUAL(result.end, CHILD_TIMEOUT);
    CHECK_EQUAL(result.exit_status, SIGTERM);
    CHECK_STRING(result.line, "cleaned up");
}

static size_t descriptors(void)
{
    size_t count = 0;
    for (int fd = 0; fd < 256; fd++) {
        count += fcntl(fd, F_GETFD) >= 0;
    }
    return count;
}

UNIT_TEST(test_nothing_is_left, "no descriptor and no zombie is left")
{
    struct child_command bad =
        command_of((char *const[]){(char[]){"/nonexistent/program"}, NULL}, FAR_MS);
    size_t before = descriptors();
    run_shell("exit 3", CHILD_EXITED, 3);
    CHECK_EQUAL(child_run(&bad, &result), -ENOENT);
    CHECK_EQUAL(descriptors(), before);
    CHECK_EQUAL(waitpid(-1, NULL, WNOHANG), -1);
    CHECK_EQUAL(errno, ECHILD);
}

int main(void)
{
    return folder_unit_main("command", directory, NULL);
}
