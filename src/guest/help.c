/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/help.h"

#include "guest/report.h"
#include "wire/suggest.h"

#include <stdio.h>
#include <string.h>

const char help_screen[] =
    "usage: vsock_guest [OPTIONS] COMMAND    asks the HostOS, over a vsock connection\n"
    "  attach-hsm  detach-hsm  start-upgrade-guest-vm  get-hostos-version\n"
    "  get-vsock-version\n"
    "  upgrade --url URL --hash SHA256 [--no-wait]\n"
    "  notify MESSAGE|- [--count N] [--echo[=DEVICE,...]]\n"
    "  get-upgrade-status [--follow]\n"
    "  decode [FILE]          explains captured bytes, frame by frame\n"
    "  help COMMAND           examples and exit codes\n"
    "options, before and after the command:\n"
    "  -a, --address ADDR     vsock:CID:PORT or unix:PATH (VSOCK_HOST_ADDRESS, else\n"
    "                         vsock:2:19090)\n"
    "  -p, --port PORT        the vsock port (19090)\n"
    "  -t, --timeout SECONDS  for everything; 0: none (30; upgrade and --follow 3600)\n"
    "      --connect-timeout SECONDS  how long connecting is tried again (5; 0: once)\n"
    "      --protocol NAME    auto | tlv-1 | tlv-0 | json-1 | json-0 (auto)\n"
    "  -o, --output FORMAT    payload | value | json (payload)\n"
    "      --progress WHEN    auto | always | never, on stderr (auto: on a terminal)\n"
    "  -v, --verbose   -q, --quiet   -h, --help   -V, --version\n"
    "older form, bare values: --attach-hsm | --detach-hsm | --get-hostos-version |\n"
    "  --upgrade URL --hash SHA256 | --notify MESSAGE [--count N]\n"
    "exit: 0 done, 1 host's error, 2 usage, 3 no connection, 4 time limit,\n"
    "  5 no common protocol, 6 broken, not known whether done, 7 stdout\n";

struct page {
    const char *command;
    const char *usage; /* behind the command's name */
    const char *about;
    const char *examples;
};

static const struct page pages[] = {
    {"attach-hsm", "",
     "Gives the host's HSM stick to this guest. Attaching an attached HSM succeeds.\n",
     "  vsock_guest attach-hsm\n"},
    {"detach-hsm", "",
     "Takes the HSM stick back from this guest. Detaching a detached HSM succeeds.\n",
     "  vsock_guest detach-hsm\n"},
    {"get-hostos-version", "", "Tells the version of the HostOS.\n",
     "  vsock_guest get-hostos-version\n"
     "  version=$(vsock_guest --output value get-hostos-version)\n"},
    {"get-vsock-version", "", "Tells the release of the host's vsock_host.\n",
     "  vsock_guest get-vsock-version --output json\n"},
    {"start-upgrade-guest-vm", "", "Has the host start the upgrade of the guest VM.\n",
     "  vsock_guest --timeout 210 start-upgrade-guest-vm    the host waits 200 s for its unit\n"},
    {"upgrade", " --url URL --hash SHA256 [--no-wait]",
     "Has the host download, verify and install an image, and reboot. Ends when the reboot\n"
     "is scheduled. The host goes on when this program ends; the same hash asked for again\n"
     "joins what runs, and another url for it becomes a mirror.\n"
     "  --url URL      http or https, at most 2048 bytes\n"
     "  --hash SHA256  of the image, 64 hex digits\n"
     "  --no-wait      ends once the host has said that the job is queued or running\n",
     "  vsock_guest upgrade --url https://mirror.example/img.tar.zst --hash \"$sum\"\n"
     "  vsock_guest upgrade --no-wait --url \"$url\" --hash \"$sum\" &&\n"
     "      vsock_guest get-upgrade-status --follow\n"},
    {"notify", " MESSAGE|- [--count N] [--echo[=DEVICE,...]]",
     "Shows a message on the host's consoles: UTF-8, at most 4096 bytes, newlines allowed.\n"
     "  -              reads the message from stdin, every byte of it\n"
     "  --count N      how often; the host cuts it to its own limit (1)\n"
     "  --echo         also on this guest's /dev/tty1 and /dev/ttyS0, or on the DEVICEs;\n"
     "                 failures there are not told\n",
     "  vsock_guest notify 'node is registered' --count 3\n"
     "  journalctl -n 5 | vsock_guest notify -\n"
     "  vsock_guest notify -- '--- a message that begins with dashes'\n"},
    {"get-upgrade-status", " [--follow]",
     "Tells where the upgrade stands.\n"
     "  --follow  shows it once a second until it has ended; exit 1 when it failed. Once the\n"
     "            host has answered, connecting is tried again until --timeout\n",
     "  vsock_guest get-upgrade-status\n"
     "  vsock_guest get-upgrade-status --follow --timeout 0\n"},
    {"decode", " [FILE]",
     "Explains bytes of a connection, either direction, frame by frame and field by field.\n"
     "Reads stdin without a FILE, to its end: there is no limit unless --timeout sets one.\n"
     "Exit 1: some bytes make no sense.\n",
     "  vsock_guest decode capture.bin\n"
     "  xxd -r -p hexdump.txt | vsock_guest decode\n"},
    {"help", " COMMAND", "Tells what a command does, with examples and exit codes.\n",
     "  vsock_guest help upgrade\n"},
};
enum { PAGES = sizeof pages / sizeof pages[0] };

static const struct page *page_find(const char *command)
{
    for (size_t i = 0; i < PAGES; i++) {
        if (strcmp(pages[i].command, command) == 0) {
            return &pages[i];
        }
    }
    return NULL;
}

bool help_has(const char *command)
{
    return page_find(command) != NULL;
}

const char *help_suggest(const char *wrong)
{
    const char *names[PAGES];
    for (size_t i = 0; i < PAGES; i++) {
        names[i] = pages[i].command;
    }
    return suggest_name(wrong, names, PAGES);
}

void help_page(const char *command, char out[HELP_MAX])
{
    const struct page *page = page_find(command);
    if (page == NULL) {
        out[0] = '\0';
        return;
    }
    int length = snprintf(out, HELP_MAX,
                          "usage: vsock_guest [OPTIONS] %s%s\n\n%s\nexamples:\n%s\n"
                          "exit codes:\n",
                          page->command, page->usage, page->about, page->examples);
    for (size_t i = 0; i < report_exits_count && length < HELP_MAX; i++) {
        length += snprintf(out + length, HELP_MAX - (size_t)length, "  %d  %s\n",
                           report_exits[i].code, report_exits[i].meaning);
    }
}
