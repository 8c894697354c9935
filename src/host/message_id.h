/* SPDX-License-Identifier: Apache-2.0 */
/* One MESSAGE_ID for each kind of event an operator may search the journal for
 * (sd_journal_send(3)). They are part of the interface: they never change, and are never used again
 * for something else. */
#ifndef HOST_MESSAGE_ID_H
#define HOST_MESSAGE_ID_H

#define MESSAGE_ID_STARTED          "51206f771c6448da8f7d5f685d8e5d7e"
#define MESSAGE_ID_STOPPED          "337f4afce16444038d13f51dbce1a9c1"
#define MESSAGE_ID_REQUEST          "1e3422cc4dbf4169bc20af7e80f2edf8"
#define MESSAGE_ID_REFUSED          "37614142add84c8fa21f3392542b8af3"
#define MESSAGE_ID_UPGRADE_PHASE    "cd23e5662deb4b0dab47a21af3010990"
#define MESSAGE_ID_UPGRADE_PROGRESS "e837490403254301aa87f209485a3562"
#define MESSAGE_ID_UPGRADE_RETRY    "9624aee5182c4e2fa6876e62fc38de1c"
#define MESSAGE_ID_UPGRADE_FAILED   "4ec4eb750389461aaa58145e67ee54b6"
#define MESSAGE_ID_UPGRADE_DONE     "089fd126008b4fa8ab142e8d5330bcd0"
#define MESSAGE_ID_INSTALLER_OUTPUT "bfb849d66a0f4bfe95c505851498a1ba"
#define MESSAGE_ID_CONSOLE_SKIPPED  "4cafd0e58ea3461ba5c4c4b5de6dd0fa"
#define MESSAGE_ID_ACCEPT_THROTTLED "906db59ddb4e40e4b68aba0891f32a5f"
#define MESSAGE_ID_STEP_DONE        "0f9a8f2d75f44dfab0afdf9a9405ff9f"
#define MESSAGE_ID_STEP_FAILED      "b4f8bcf4db514ec08bbb4b65c5b5285c"
#define MESSAGE_ID_RELOADED         "463d55c9cffe4789bd5ebebf13b3b5d4"
#define MESSAGE_ID_RELOAD_FAILED    "4272e016154a4e09ac960024c0a9fad0"
#define MESSAGE_ID_THREAD_LATE      "87aa3a6000594bbb9ae4cb4d8a13d904"

#endif
