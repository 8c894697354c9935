/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/help.h"

#include "compat/client.h"
#include "wire/suggest.h"

#include <stdio.h>
#include <string.h>

static const char screen_options[] =
    "options, before and after the command:\n"
    "  -a, --address ADDR     vsock:CID:PORT or unix:PATH (VSOCK_HOST_ADDRESS, else\n"
    "                         vsock:2:19090)\n"
    "  -p, --port PORT        the vsock port (19090)\n"
    "  -t, --timeout SECONDS  for everything; 0: none (30; upgrade and --follow 3600)\n"
    "      --connect-timeout SECONDS  how long connecting is tried again (5; 0: once)\n"
    "      --protocol NAME    %s (auto)\n"
    "  -o, --output FORMAT    payload | value | json (payload)\n"
    "      --progress WHEN    auto | always | never, on stderr (auto: on a terminal)\n"
    "  -v, --verbose   -q, --quiet   -h, --help   -V, --version\n"
    "older form, bare values: --attach-hsm | --detach-hsm | --get-hostos-version |\n"
    "  --upgrade URL --hash SHA256 | --notify MESSAGE [--count N]\n"
    "exit: 0 done, 1 host's error, 2 usage, 3 no connection, 4 time limit,\n"
    "  5 no common protocol, 6 broken, not known whether done, 7 stdout\n";

/* Who can end with an exit code. */
enum { CHANGE = 1, QUERY = 2, DECODE = 4, HELP = 8 };

static const struct {
    enum exit_code code;
    unsigned commands;
    const char *meaning;
} exits[] = {
    {EXIT_DONE, CHANGE | QUERY | DECODE | HELP, "done"},
    {EXIT_HOST_ERROR, CHANGE | QUERY, "the host answered with an error"},
    {EXIT_HOST_ERROR, DECODE, "some bytes are not valid"},
    {EXIT_USAGE, CHANGE | QUERY, "usage, or a request that is too long"},
    {EXIT_USAGE, DECODE, "usage, or the file cannot be read"},
    {EXIT_USAGE, HELP, "usage"},
    {EXIT_NO_CONNECTION, CHANGE | QUERY, "no connection could be made"},
    {EXIT_TIME_OVER, CHANGE | QUERY | DECODE, "time limit"},
    {EXIT_NO_PROTOCOL, CHANGE | QUERY,
     "no common protocol, a command it cannot carry, or invalid bytes before sending"},
    {EXIT_BROKEN, CHANGE, "broken after the request was sent: whether it was done is not known"},
    {EXIT_BROKEN, QUERY, "broken after the request was sent: ask again"},
    {EXIT_STDOUT, CHANGE | QUERY | DECODE | HELP, "done, but stdout could not be written"},
};

struct page {
    enum command command;
    const char *name;    /* of decode and help, which are no command of the protocol */
    unsigned kind;       /* likewise */
    const char *usage;   /* after the name; NULL: no arguments */
    const char *summary; /* on the first screen; NULL: none */
    const char *about;
    const char *examples; /* NULL: the name alone */
    const char *unknown;  /* a change whose answer was lost: what may be so at the host */
};

/* In the order of the first screen. */
static const struct page pages[] = {
    {COMMAND_ATTACH_HSM,
     .about = "Attaches the host's HSM to this guest. Attaching an attached HSM succeeds.\n",
     .unknown = "the HSM may have been attached; asking again does no harm"},
    {COMMAND_DETACH_HSM,
     .about = "Detaches the HSM from this guest. Detaching a detached HSM succeeds.\n",
     .unknown = "the HSM may have been detached; asking again does no harm"},
    {COMMAND_START_UPGRADE_GUEST_VM, .about = "Starts the upgrade of the guest VM at the host.\n",
     .examples = "  vsock_guest --timeout 210 start-upgrade-guest-vm    the host waits 200 s for "
                 "its unit\n",
     .unknown = "the upgrade of the guest VM may have been started"},
    {COMMAND_GET_HOSTOS_VERSION, .about = "Prints the version of the HostOS.\n",
     .examples = "  version=$(vsock_guest --output value get-hostos-version)\n"},
    {COMMAND_GET_VSOCK_VERSION, .about = "Prints the release of the host's vsock_host.\n"},
    {COMMAND_UPGRADE, .usage = " --url URL --hash SHA256 [--no-wait]",
     .about =
         "The host downloads, verifies and installs an image, and reboots. Ends when the reboot\n"
         "is scheduled. The host continues when this program ends; the same hash again joins\n"
         "the running upgrade, and another url for it becomes a mirror.\n"
         "  --url URL      http or https, at most 2048 bytes\n"
         "  --hash SHA256  of the image, 64 hex digits\n"
         "  --no-wait      ends when the host reports that the upgrade is queued or running\n",
     .examples = "  vsock_guest upgrade --url https://mirror.example/img.tar.zst --hash \"$sum\"\n"
                 "  vsock_guest upgrade --no-wait --url \"$url\" --hash \"$sum\" &&\n"
                 "      vsock_guest get-upgrade-status --follow\n",
     .unknown = "the upgrade may be running at the host; check with 'vsock_guest "
                "get-upgrade-status', or send the same hash again to join it"},
    {COMMAND_NOTIFY, .usage = " MESSAGE|- [--count N] [--echo[=DEVICE,...]]",
     .about =
         "Shows a message on the host's consoles: UTF-8, at most 4096 bytes, newlines allowed.\n"
         "  -              reads the message from stdin, every byte of it\n"
         "  --count N      how often; the host cuts it to its own limit (1)\n"
         "  --echo         also on this guest's /dev/tty1 and /dev/ttyS0, or on the DEVICEs;\n"
         "                 failures there are not reported\n",
     .examples = "  vsock_guest notify 'node is registered' --count 3\n"
                 "  journalctl -n 5 | vsock_guest notify -\n"
                 "  vsock_guest notify -- '--- a message that begins with dashes'\n",
     .unknown = "the message may have been shown on the host's consoles"},
    {COMMAND_GET_UPGRADE_STATUS, .usage = " [--follow]",
     .about =
         "Prints the status of the upgrade.\n"
         "  --follow  shows it once a second until the upgrade has ended; exit 1 when it failed.\n"
         "            Once the host has answered, connecting is tried again until --timeout\n",
     .examples = "  vsock_guest get-upgrade-status\n"
                 "  vsock_guest get-upgrade-status --follow --timeout 0\n"},
    {.name = "decode",
     .kind = DECODE,
     .usage = " [FILE]",
     .summary = "explains captured bytes, frame by frame",
     .about =
         "Explains bytes of a connection, either direction, frame by frame and field by field.\n"
         "Reads stdin without a FILE, to its end: there is no limit unless --timeout sets one.\n",
     .examples = "  vsock_guest decode capture.bin\n"
                 "  xxd -r -p hexdump.txt | vsock_guest decode\n"},
    {.name = "help",
     .kind = HELP,
     .usage = " COMMAND",
     .summary = "examples and exit codes",
     .about = "Prints what a command does, with examples and exit codes.\n",
     .examples = "  vsock_guest help upgrade\n"},
};
enum { PAGES = sizeof pages / sizeof pages[0] };

static const char *page_name(const struct page *page)
{
    return page->name != NULL ? page->name : command_name(page->command);
}

static const struct page *find_page(const char *command)
{
    for (size_t i = 0; i < PAGES; i++) {
        if (strcmp(page_name(&pages[i]), command) == 0) {
            return &pages[i];
        }
    }
    return NULL;
}

bool help_has(const char *command)
{
    return find_page(command) != NULL;
}

const char *help_suggest(const char *wrong)
{
    const char *names[PAGES];
    for (size_t i = 0; i < PAGES; i++) {
        names[i] = page_name(&pages[i]);
    }
    return suggest_name(wrong, names, PAGES);
}

const char *help_unknown_outcome(enum command command)
{
    for (size_t i = 0; i < PAGES && !command_is_query(command); i++) {
        if (pages[i].command == command && pages[i].unknown != NULL) {
            return pages[i].unknown;
        }
    }
    return command_is_query(command) ? "the command changes nothing at the host; ask again"
                                     : "the command may have been run at the host";
}

static void print_screen(FILE *out)
{
    int column = 0;
    fputs("usage: vsock_guest [OPTIONS] COMMAND    asks the HostOS, over a vsock connection\n",
          out);
    for (size_t i = 0; i < PAGES; i++) {
        const char *name = page_name(&pages[i]);
        if (pages[i].usage != NULL) {
            column += fprintf(out, "%s  %s%s", column > 0 ? "\n" : "", name, pages[i].usage);
            if (pages[i].summary != NULL) {
                fprintf(out, "%*s%s", 23 - (int)strlen(name) - (int)strlen(pages[i].usage), "",
                        pages[i].summary);
            }
            continue;
        }
        if (column + 2 + (int)strlen(name) > 79) {
            fputs("\n", out);
            column = 0;
        }
        column += fprintf(out, "  %s", name);
    }
    char names[CLIENT_NAMES_MAX];
    client_protocol_names(" | ", names);
    fputc('\n', out);
    fprintf(out, screen_options, names);
}

static void print_page(FILE *out, const struct page *page)
{
    unsigned kind = page->kind != 0 ? page->kind : command_is_query(page->command) ? QUERY : CHANGE;
    const char *name = page_name(page);
    fprintf(out, "usage: vsock_guest [OPTIONS] %s%s\n\n%s\nexamples:\n", name,
            page->usage != NULL ? page->usage : "", page->about);
    if (page->examples != NULL) {
        fputs(page->examples, out);
    } else {
        fprintf(out, "  vsock_guest %s\n", name);
    }
    fputs("\nexit codes:\n", out);
    for (size_t i = 0; i < sizeof exits / sizeof exits[0]; i++) {
        if ((exits[i].commands & kind) != 0) {
            fprintf(out, "  %d  %s\n", exits[i].code, exits[i].meaning);
        }
    }
}

void help_text(const char *command, char out[HELP_MAX])
{
    out[0] = '\0';
    FILE *file = fmemopen(out, HELP_MAX, "w");
    if (file == NULL) {
        return;
    }
    const struct page *page = command != NULL ? find_page(command) : NULL;
    if (page != NULL) {
        print_page(file, page);
    } else {
        print_screen(file);
    }
    fclose(file);
}
