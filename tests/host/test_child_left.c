/* SPDX-License-Identifier: Apache-2.0 */
/* What is left of a program when it is killed, when we stop, and when we are killed. */
#include "child_output.h"
#include "support/folder.h"
#include "wire/clock.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

static char directory[] = "/tmp/test_child_left.XXXXXX";

static bool wait_ended(pid_t pid)
{
    for (int i = 0; i < 3000 && !ended(pid); i++) {
        (void)poll(NULL, 0, 10);
    }
    return ended(pid);
}

UNIT_TEST(test_group_is_killed, "the whole group is killed")
{
    /* Both ignore SIGTERM; the child's number is printed. */
    struct child_command command =
        command_of(shell("trap '' TERM; sleep 1000 & echo $!; wait"), SOON_MS);
    printed.stop_fd = command.stop_fd = eventfd(0, EFD_CLOEXEC);
    command.deadline_ms = CLOCK_NEVER;
    REQUIRE_EQUAL(child_run(&command, &result), 0);
    CHECK_EQUAL(result.end, CHILD_SIGNALED);
    CHECK_EQUAL(result.exit_status, SIGKILL);
    CHECK_TRUE(wait_ended(printed_pid()));
    (void)close(command.stop_fd);
}

UNIT_TEST(test_stubborn_child_of_killed, "a child that ignores SIGTERM is killed too")
{
    /* The program dies of SIGTERM, its child ignores it. */
    struct child_command command =
        command_of(shell("(trap '' TERM; exec sleep 1000) & sleep 0.1; echo $!; wait"), SOON_MS);
    printed.stop_fd = command.stop_fd = eventfd(0, EFD_CLOEXEC);
    command.deadline_ms = CLOCK_NEVER;
    REQUIRE_EQUAL(child_run(&command, &result), 0);
    CHECK_EQUAL(result.end, CHILD_SIGNALED);
    CHECK_EQUAL(result.exit_status, SIGTERM);
    CHECK_TRUE(wait_ended(printed_pid()));
    (void)close(command.stop_fd);
}

UNIT_TEST(test_child_that_stays, "a child that keeps the pipe is not waited for")
{
    run_shell("sleep 1000 & echo $!", CHILD_EXITED, 0);
    pid_t pid = printed_pid();
    CHECK_FALSE(ended(pid));
    CHECK_EQUAL(kill(pid, SIGKILL), 0);
    run_shell("yes & echo $!", CHILD_EXITED, 0); /* its flood ends with the pipe */
}

/* Runs a script that says one line, at which the daemon "stops". The script's own number is
 * returned: the test is its parent and has to reap it. */
static pid_t run_left(struct child_command *command)
{
    printed.stop_fd = command->stop_fd = eventfd(0, EFD_CLOEXEC);
    command->survives = true;
    REQUIRE_EQUAL(child_run(command, &result), 0);
    CHECK_EQUAL(result.end, CHILD_LEFT);
    (void)close(command->stop_fd);
    return printed_pid();
}

static int reap(pid_t pid)
{
    int status = 0;
    CHECK_EQUAL(waitpid(pid, &status, 0), pid);
    return status;
}

UNIT_TEST(test_left_running, "left running at a stop")
{
    struct child_command command = command_of(shell("echo $$; exec sleep 1000"), FAR_MS);
    pid_t pid = run_left(&command);
    CHECK_FALSE(ended(pid));
    CHECK_EQUAL(kill(pid, SIGKILL), 0);
    (void)reap(pid);
}

static int write_after(bool holds_output)
{
    char script[256];
    char go[64];
    (void)snprintf(go, sizeof go, "%s/go", directory);
    (void)snprintf(script, sizeof script,
                   "echo $$; until [ -e %s ]; do sleep 0.01; done; echo more; echo more; exit 5",
                   go);
    struct child_command command = command_of(shell(script), FAR_MS);
    command.holds_output = holds_output;
    pid_t pid = run_left(&command);
    int fd = open(go, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    REQUIRE_COMPARE(fd, >=, 0);
    (void)close(fd);
    int status = reap(pid);
    (void)unlink(go);
    return status;
}

UNIT_TEST(test_holds_output, "a program that holds its output survives us")
{
    int status = write_after(true);
    CHECK_TRUE(WIFEXITED(status));
    CHECK_EQUAL(WEXITSTATUS(status), 5);
    status = write_after(false);
    CHECK_TRUE(WIFSIGNALED(status));
    CHECK_EQUAL(WTERMSIG(status), SIGPIPE);
}

static bool lockable(const char *path)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open(path, O_RDWR | O_CLOEXEC);
    REQUIRE_COMPARE(fd, >=, 0);
    bool free = fcntl(fd, F_OFD_SETLK, &lock) == 0;
    (void)close(fd);
    return free;
}

UNIT_TEST(test_inherit, "an inherited descriptor")
{
    char path[64];
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    (void)snprintf(path, sizeof path, "%s/lock", directory);
    for (int at = 3; at < 6; at++) { /* wherever ours is: it becomes 3 */
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        REQUIRE_COMPARE(fd, >=, 0);
        int high = fcntl(fd, F_DUPFD_CLOEXEC, at);
        (void)close(fd);
        REQUIRE_EQUAL(fcntl(high, F_OFD_SETLK, &lock), 0);
        struct child_command command = command_of(shell("echo $$; exec sleep 1000"), FAR_MS);
        command.inherit_fd = high;
        command.holds_output = true;
        pid_t pid = run_left(&command);
        (void)close(high);
        CHECK_FALSE(lockable(path));
        CHECK_EQUAL(kill(pid, SIGKILL), 0);
        (void)reap(pid);
        CHECK_TRUE(lockable(path));
    }
    int fd = open(path, O_RDWR | O_CLOEXEC);
    struct child_command command = command_of(shell("exec ls /proc/self/fd"), FAR_MS);
    command.inherit_fd = fd;
    CHECK_EQUAL(child_run(&command, &result), 0);
    CHECK_STRING(printed.all, "0\n1\n2\n3\n4\n");
    command = command_of(shell("readlink /proc/$$/fd/3"), FAR_MS);
    command.inherit_fd = fd;
    CHECK_EQUAL(child_run(&command, &result), 0);
    CHECK_STRING(result.line, path);
    (void)close(fd);
}

int main(void)
{
    return folder_unit_main("step_left", directory, NULL);
}
