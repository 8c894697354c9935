/* SPDX-License-Identifier: Apache-2.0 */
/* vsock_guest: sends one command to the host; the answer goes to stdout, errors to stderr. */
#include "guest/ask.h"
#include "guest/bytes.h"
#include "guest/decode.h"
#include "guest/help.h"
#include "guest/report.h"
#include "guest/screen.h"
#include "guest/stop.h"
#include "wire/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* One run: its command line and its limits. */
struct run {
    struct options options;
    struct report report;
    struct screen screen;
    int64_t start_ms;
    int64_t deadline_ms;
    int stop_fd;
    char message[NOTIFY_MAX + 1]; /* of notify -; one byte more than allowed */
};

/* Prints the error line, if there is one; returns the exit status. */
static int finish(const struct report *report)
{
    if (report->exit_code != EXIT_DONE) {
        report_print(report);
    }
    return (int)report->exit_code;
}

static void print_text(struct run *run, const char *text)
{
    int error = bytes_write(STDOUT_FILENO, text, strlen(text), run->stop_fd, run->deadline_ms);
    if (error == -ECANCELED) {
        report_stopped(&run->report, stop_signal(), "done; the answer could not be printed");
    } else if (error < 0) {
        report_stdout(&run->report, "done; the answer could not be written to stdout", error);
    }
}

static void print_answer(struct run *run, const struct client_outcome *outcome)
{
    static const struct answer accepted = {.type = ANSWER_RESPONSE, .kind = PAYLOAD_NONE};
    const struct answer *answer =
        outcome->result == CLIENT_SATISFIED ? &accepted : &outcome->answer;
    if (run->options.follow && answer->status.phase == PHASE_FAILED) {
        report_failed_upgrade(&answer->status, &run->report);
        return;
    }
    char *line = NULL;
    if (report_format(answer, run->options.output, &line) < 0) {
        report_set(&run->report, EXIT_STDOUT, "broken",
                   "done; the answer could not be printed: out of memory");
        return;
    }
    print_text(run, line);
    free(line);
}

/* The message of `notify -`. False: the report has the error. */
static bool read_message(struct run *run)
{
    size_t length = 0;
    int error = bytes_read_all(STDIN_FILENO, run->message, sizeof run->message, run->stop_fd,
                               run->deadline_ms, &length);
    struct text message = {run->message, length};
    const char *wrong = error == 0 ? options_judge_message(message) : NULL;
    if (wrong != NULL) {
        report_set(&run->report, EXIT_USAGE, "usage", "stdin: %s", wrong);
    } else if (error == -ETIME) {
        report_set(&run->report, EXIT_TIME_OVER, "timeout",
                   "stdin did not end within the time limit; no command was sent");
    } else if (error == -ECANCELED) {
        report_stopped(&run->report, stop_signal(), "no command was sent");
    } else if (error < 0) {
        report_set(&run->report, EXIT_USAGE, "usage", "cannot read the message from stdin: %s",
                   strerror(-error));
    }
    run->options.request.message = message;
    return run->report.exit_code == EXIT_DONE;
}

static void run_command(struct run *run)
{
    struct options *options = &run->options;
    if (options->message_from_stdin && !read_message(run)) {
        return;
    }
    if (options->echo_devices != NULL) {
        echo_message(options->echo_devices, options->request.message, run->stop_fd,
                     run->deadline_ms);
    }
    struct asking asking;
    ask_run(&asking, options, &run->screen, run->stop_fd, run->deadline_ms);
    screen_end(&run->screen);
    report_outcome(options, &asking.outcome, stop_signal(), &run->report);
    if (run->report.exit_code == EXIT_DONE) {
        print_answer(run, &asking.outcome);
    }
    client_done(&asking.client);
}

/* The environment sets the CID for a Unix socket only. */
static bool read_environment(struct run *run)
{
    const char *value = getenv("VSOCK_LOCAL_CID");
    struct options *options = &run->options;
    if (options->address.family != AF_UNIX || local_cid_parse(value, &options->unix_cid) == 0) {
        return true;
    }
    report_set(&run->report, EXIT_USAGE, "usage",
               "VSOCK_LOCAL_CID is '%s'; expected a CID from 0 to 4294967294", value);
    return false;
}

/* After the error line, a run that a signal stopped dies by it. */
static int run_ask(struct run *run)
{
    int error = stop_watch(&run->stop_fd);
    if (error < 0) {
        report_set(&run->report, EXIT_NO_CONNECTION, "connect",
                   "cannot catch SIGINT and SIGTERM: %s", strerror(-error));
        return finish(&run->report);
    }
    screen_init(&run->screen, &run->options, run->start_ms);
    run_command(run);
    int status = finish(&run->report);
    if (run->report.signal != 0) {
        stop_die(run->report.signal);
    }
    return status;
}

static int run_print(struct run *run)
{
    char text[HELP_MAX] = "vsock_guest " VSOCK_VERSION "\n";
    if (run->options.action == ACTION_HELP) {
        help_text(run->options.topic, text);
    }
    print_text(run, text);
    return finish(&run->report);
}

int main(int argc, char *argv[])
{
    struct run run = {.start_ms = clock_ms(), .deadline_ms = CLOCK_NEVER, .stop_fd = -1};
    int error = bytes_guard_standard();
    if (error < 0) {
        return EXIT_USAGE;
    }
    signal(SIGPIPE, SIG_IGN);
    char wrong[OPTIONS_ERROR_MAX];
    if (options_parse(argc, argv, getenv("VSOCK_HOST_ADDRESS"), &run.options, wrong) < 0) {
        report_set(&run.report, EXIT_USAGE, "usage", "%s", wrong);
        return finish(&run.report);
    }
    if (run.options.timeout_ms != CLOCK_NEVER) {
        run.deadline_ms = run.start_ms + run.options.timeout_ms;
    }
    switch (run.options.action) {
    case ACTION_DECODE:
        decode_run(run.options.file, run.deadline_ms, &run.report);
        return finish(&run.report);
    case ACTION_HELP:
    case ACTION_VERSION:
        return run_print(&run);
    case ACTION_ASK:
        break;
    }
    return read_environment(&run) ? run_ask(&run) : finish(&run.report);
}
