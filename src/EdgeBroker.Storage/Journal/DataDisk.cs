namespace EdgeBroker.Storage.Journal;

/// <summary>
/// The disk of the data directory, and what of it is kept for making room: who deletes must be able to write that, so new messages are refused before the last
/// block is used.
/// </summary>
/// <param name="directory">The data directory.</param>
internal sealed class DataDisk(string directory)
{
    // What may be on its way to the disk (FactIntake), once in the WAL and once in the database; of a small disk an eighth.
    private const long MostReserved = 128L * 1024 * 1024;
    private const int ReservedPart = 8;

    private readonly DriveInfo _drive = new(directory);

    /// <summary>Bytes that are kept free.</summary>
    public long ReserveBytes { get; } = Math.Min(MostReserved, Read(() => new DriveInfo(directory).TotalSize) / ReservedPart);

    /// <summary>Bytes that are free for this user now.</summary>
    public long FreeBytes => Read(() => _drive.AvailableFreeSpace);

    // A disk that cannot be asked says so when it is written to.
    private static long Read(Func<long> bytes)
    {
        try
        {
            return bytes();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return long.MaxValue;
        }
    }
}
