"""Changes files in a directory, for the tests of the shim: says each thing it has made certain on a line of its own.

writer.py sqlite PRAGMAS COMMITS   commits rows to a database, with "name=value,..." as pragmas; says "committed N" after each commit
                                   and waits for a line, or the end, of its input
writer.py check                    says what is in the database, or why it cannot be read
writer.py files                    does everything to files that a program may
"""

import os
import random
import sqlite3
import sys


def say(line):
    print(line, flush=True)


def commit(pragmas, count):
    connection = sqlite3.connect("test.db", isolation_level=None)
    for pragma in pragmas.split(","):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    connection.execute("CREATE TABLE IF NOT EXISTS message (number INTEGER PRIMARY KEY, body BLOB NOT NULL)")
    generator = random.Random(count)
    for number in range(1, count + 1):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO message VALUES (?, ?)", (number, bytes([number % 251]) * generator.randrange(20, 9000)))
        # What goes makes room that later rows take again, and pages that a checkpoint writes in place.
        if number % 7 == 0:
            connection.execute("UPDATE message SET body = ? WHERE number = ?", (bytes([number % 251]) * 3000, number // 2 or 1))
        connection.execute("COMMIT")
        say(f"committed {number}")
        # Goes on when whoever heard it says so, or says nothing at all: then the log ends where the commit does.
        sys.stdin.readline()
    os._exit(0)  # as killed: no last checkpoint


def check():
    try:
        connection = sqlite3.connect("test.db")
        verdict = connection.execute("PRAGMA integrity_check").fetchone()[0]
        # The table's own creation may be what was not synced.
        there = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'message'").fetchone()[0]
        count, last = connection.execute("SELECT count(*), coalesce(max(number), 0) FROM message").fetchone() if there else (0, 0)
        say(f"{verdict} {count} {last}")
    except sqlite3.DatabaseError as error:
        say(f"error {error}")


def files():
    generator = random.Random(4711)
    names = [f"file-{i}" for i in range(6)]
    os.mkdir("folder")
    for _ in range(400):
        name = generator.choice(names)
        data = generator.randbytes(generator.randrange(1, 3000))
        action = generator.randrange(12)
        if action < 4:
            fd = os.open(name, os.O_RDWR | os.O_CREAT)
            os.pwrite(fd, data, generator.randrange(5000))
            if action == 0:
                os.fsync(fd)
            os.close(fd)
        elif action == 4:
            fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.writev(fd, [data, data[:10]])
            copy = os.dup(fd)
            os.close(fd)
            os.write(copy, data[:100])
            os.close(copy)
        elif action == 5:
            with open(name, "wb") as file:
                file.write(data)
        elif action == 6:
            fd = os.open(name, os.O_RDWR | os.O_CREAT | os.O_DSYNC)
            os.write(fd, data)
            os.ftruncate(fd, generator.randrange(4000))
            os.close(fd)
        elif action == 7 and os.path.exists(name):
            os.rename(name, generator.choice(names))
        elif action == 8 and os.path.exists(name):
            os.unlink(name)
        elif action == 9 and os.path.exists(name):
            os.truncate(name, generator.randrange(4000))
        elif action == 10:
            fd = os.open(name, os.O_RDWR | os.O_CREAT)
            os.posix_fallocate(fd, 0, generator.randrange(1, 4000))
            os.close(fd)
        elif action == 11:
            if os.path.exists(name) and not os.path.exists("folder/linked"):
                os.link(name, "folder/linked")
            elif os.path.exists("folder/linked"):
                os.rename("folder", "moved")
                os.unlink("moved/linked")
                os.rename("moved", "folder")
            directory = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
            os.fsync(directory)
            os.close(directory)
    say("done")


if sys.argv[1] == "sqlite":
    commit(sys.argv[2], int(sys.argv[3]))
elif sys.argv[1] == "check":
    check()
else:
    files()
