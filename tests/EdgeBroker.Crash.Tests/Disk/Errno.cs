namespace EdgeBroker.Crash.Tests.Disk;

/// <summary>Linux's error numbers for what happens to disks.</summary>
public enum Errno
{
    /// <summary>No error; here: none asked for.</summary>
    None = 0,

    /// <summary>EIO: the medium fails.</summary>
    InputOutput = 5,

    /// <summary>ENOSPC: the disk is full.</summary>
    NoSpace = 28,

    /// <summary>EROFS: the file system was made read-only, as ext4 does after an error.</summary>
    ReadOnly = 30,
}
