# SPDX-License-Identifier: Apache-2.0
"""What a check needs to know of a man page in scdoc's form, and of tables in Markdown."""
import re

MARKUP = re.compile(r"\\(.)|\*|(?<![A-Za-z0-9])_(?=\S)|(?<=[^\s_])_(?![A-Za-z0-9])")


def plain(text):
    """Without bold and underline; a backslash keeps what follows it."""
    return MARKUP.sub(lambda match: match.group(1) or "", text)


def markdown_tables(text):
    """The tables that are marked as such: "table: commands" -> rows of cells, without the head."""
    found = {}
    for title, body in re.findall(r"^<!-- ((?:table|fields): [\w -]+) -->\n\n((?:\|.*\n)+)", text, re.M):
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in body.splitlines()]
        found[title] = rows[2:]
    return found


class Page:
    """Sections with their lines; literal blocks are kept apart."""

    def __init__(self, text):
        self.text = text
        self.first = text.split("\n", 1)[0]
        self.bold = re.findall(r"\*([^*\n]+)\*", text)
        self.lines = []  # (section, subsection, line), literal blocks left out
        self.literal = []  # (section, block)
        section, below, block = "", "", None
        for line in text.splitlines()[1:]:
            if line.strip() == "```":
                if block is not None:
                    self.literal.append((section, "".join(block)))
                block = [] if block is None else None
            elif block is not None:
                block.append(line + "\n")
            elif line.startswith("# "):
                section, below = line[2:], ""
            elif line.startswith("## "):
                below = line[3:]
            else:
                self.lines.append((section, below, line))

    def blocks(self, section):
        return [block for name, block in self.literal if name == section]

    def _all_definitions(self):
        """(section, subsection, term, body): a line, and below it lines that are indented deeper."""
        depth = [len(line) - len(line.lstrip("\t")) for _, _, line in self.lines]
        for i, (section, below, line) in enumerate(self.lines):
            defines = (line.strip() and i + 1 < len(self.lines) and
                       self.lines[i + 1][2].strip() and depth[i + 1] > depth[i])
            if not defines:
                continue
            body = []
            for j in range(i + 1, len(self.lines)):
                if self.lines[j][2].strip() and depth[j] <= depth[i]:
                    break
                body.append(self.lines[j][2].strip())
            yield section, below, plain(line.strip()), " ".join(filter(None, map(plain, body)))

    def definitions(self, section=None):
        return [(term, body) for name, _, term, body in self._all_definitions()
                if section in (None, name)]

    def sections_of(self, section):
        return [(below, term, body) for name, below, term, body in self._all_definitions()
                if name == section]

    def tables(self):
        """Tables below a comment such as "; table: commands": rows of cells, without the head."""
        found, rows, title = {}, None, None
        for _, _, line in self.lines:
            mark = re.match(r"; ((?:table|fields): [\w -]+)$", line)
            if mark:
                title, rows = mark.group(1), []
                found[title] = rows
            elif rows is not None and line.startswith("|"):
                rows.append([plain(line[2:].strip())])
            elif rows is not None and line.startswith(":"):
                rows[-1].append(plain(line[2:].strip()))
            elif line.strip():
                rows = None
        return {name: cells[1:] for name, cells in found.items()}
