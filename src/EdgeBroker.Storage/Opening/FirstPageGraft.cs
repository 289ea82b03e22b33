using System.Buffers.Binary;
using EdgeBroker.Storage.Schema;
using EdgeBroker.Storage.Sqlite;

namespace EdgeBroker.Storage.Opening;

/// <summary>
/// A copy of a damaged database with the first page of a new one. That page says where each table begins, it is written at every checkpoint, and without it
/// nothing can be found; but since <see cref="StoreSchema.Create"/> always puts tables at the same places, a new database's says the same.
/// </summary>
internal static class FirstPageGraft
{
    private const int FormatOffset = 18;
    private const byte WalFormat = 2;
    private const int PageCountOffset = 28;
    private const int FreeListOffset = 32;

    /// <summary>Makes the copy, with a copy of the WAL; false when there is no room or the original cannot be read.</summary>
    /// <param name="damaged">The damaged database.</param>
    /// <param name="sound">A new one, with its tables and not in WAL mode.</param>
    /// <param name="graft">Where the copy is made.</param>
    public static bool TryMake(string damaged, SqliteDatabase sound, string graft)
    {
        try
        {
            StoreFiles.Delete(graft);
            File.Copy(damaged, graft);
            if (File.Exists(damaged + "-wal")) File.Copy(damaged + "-wal", graft + "-wal");
            byte[] page = new byte[StorePragmas.PageSizeBytes];
            using (FileStream source = File.OpenRead(sound.Path)) source.ReadExactly(page);
            page.AsSpan(FormatOffset, 2).Fill(WalFormat);
            // No number of pages: as many as the file has. Nothing is free: free pages are not read.
            BinaryPrimitives.WriteInt32BigEndian(page.AsSpan(PageCountOffset), 0);
            page.AsSpan(FreeListOffset, 8).Clear();
            using FileStream target = File.OpenWrite(graft);
            target.Write(page);
            return true;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
