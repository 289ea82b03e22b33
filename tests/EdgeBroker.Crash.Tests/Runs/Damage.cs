namespace EdgeBroker.Crash.Tests.Runs;

/// <summary>Damage to a database as users report it.</summary>
public enum Damage
{
    /// <summary>The whole file is something else.</summary>
    Garbage,

    /// <summary>The first page, with the header, reads as zeros.</summary>
    FirstPageNull,

    /// <summary>The roots of the first tables read as zeros.</summary>
    RootsNull,

    /// <summary>One page in the middle reads as zeros.</summary>
    MiddlePageNull,

    /// <summary>A run of pages in the middle is something else.</summary>
    MiddleGarbage,

    /// <summary>The second half of the file is missing.</summary>
    Truncated,

    /// <summary>The file ends in the middle of a page.</summary>
    TruncatedWithinPage,

    /// <summary>A good database, of another program's.</summary>
    ForeignSchema,

    /// <summary>The tables are there without the columns.</summary>
    WrongColumns,

    /// <summary>Written by a version that is not yet.</summary>
    NewerVersion,
}
