using System.Globalization;

namespace EdgeBroker.Cluster.State;

/// <summary>A snapshot on disk: the state after an entry.</summary>
/// <param name="Path">Its file.</param>
/// <param name="Index">The entry's index.</param>
/// <param name="Term">The entry's term.</param>
internal sealed record SnapshotFile(string Path, long Index, long Term);

/// <summary>
/// The snapshots of one member. A new one is prepared first and published later, when enough newer entries exist; a start goes on from the newest published
/// one, so that what it prepared is never what the log is cut by.
/// </summary>
internal sealed class SnapshotFolder
{
    private const string Published = ".snapshot";
    private const string Prepared = ".prepared";

    private readonly string _path;

    /// <summary>Opens the folder, makes it if there is none, and removes what an earlier run left unfinished.</summary>
    /// <exception cref="IOException">It cannot be used.</exception>
    public SnapshotFolder(string path)
    {
        _path = path;
        Directory.CreateDirectory(path);
        foreach (string file in Directory.EnumerateFiles(path))
        {
            if (!file.EndsWith(Published, StringComparison.Ordinal)) File.Delete(file);
        }
    }

    /// <summary>The newest published snapshot; null: there is none.</summary>
    public SnapshotFile? Newest() => Find().MaxBy(static file => file.Index);

    /// <summary>The state of a snapshot.</summary>
    /// <exception cref="DamagedSnapshotException">It is damaged; the message names it and the cure.</exception>
    public static ClusterStateMachine Load(SnapshotFile file)
    {
        byte[] bytes = ReadBytes(file);
        try
        {
            ClusterStateMachine machine = SnapshotCodec.Read(bytes);
            return machine.View.Index == file.Index ? machine
                : throw new DamagedSnapshotException($"it is of entry {machine.View.Index}, and not of {file.Index}, as its name says");
        }
        catch (DamagedSnapshotException exception)
        {
            throw new DamagedSnapshotException(
                $"{file.Path}: {exception.Message}. This member cannot go on from it, and must not begin anew under its old name: it may have voted. "
                    + "Remove it from the cluster on another member, delete its folder, and let it join again");
        }
    }

    /// <summary>The bytes of a snapshot.</summary>
    /// <exception cref="IOException">It cannot be read, or is larger than any can be.</exception>
    public static byte[] ReadBytes(SnapshotFile file)
    {
        using FileStream stream = File.OpenRead(file.Path);
        if (stream.Length > StateLimits.MostSnapshotBytes) throw new DamagedSnapshotException($"{file.Path} has {stream.Length} bytes");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>Writes a snapshot that is to be published later.</summary>
    /// <exception cref="IOException">It could not be written.</exception>
    public SnapshotFile Prepare(long index, long term, ReadOnlySpan<byte> bytes) => Write(index, term, bytes, Prepared);

    /// <summary>Writes a snapshot that counts from now on.</summary>
    /// <exception cref="IOException">It could not be written.</exception>
    public SnapshotFile Write(long index, long term, ReadOnlySpan<byte> bytes) => Write(index, term, bytes, Published);

    /// <summary>Lets a prepared snapshot count.</summary>
    /// <exception cref="IOException">It could not be renamed.</exception>
    public SnapshotFile Publish(SnapshotFile prepared)
    {
        SnapshotFile published = prepared with { Path = PathOf(prepared.Index, prepared.Term, Published) };
        DurableFile.Rename(prepared.Path, published.Path);
        return published;
    }

    /// <summary>Removes published snapshots of entries before one.</summary>
    public void RemoveBefore(long index)
    {
        foreach (SnapshotFile file in Find())
        {
            if (file.Index < index) File.Delete(file.Path);
        }
    }

    private SnapshotFile Write(long index, long term, ReadOnlySpan<byte> bytes, string kind)
    {
        string path = PathOf(index, term, kind);
        DurableFile.Write(path, bytes);
        return new SnapshotFile(path, index, term);
    }

    private string PathOf(long index, long term, string kind) => Path.Combine(_path, string.Create(CultureInfo.InvariantCulture, $"{index}-{term}{kind}"));

    private List<SnapshotFile> Find()
    {
        var found = new List<SnapshotFile>();
        foreach (string path in Directory.EnumerateFiles(_path, "*" + Published))
        {
            string[] parts = Path.GetFileNameWithoutExtension(path).Split('-');
            if (parts is [var first, var second] && long.TryParse(first, CultureInfo.InvariantCulture, out long index)
                && long.TryParse(second, CultureInfo.InvariantCulture, out long term))
            {
                found.Add(new SnapshotFile(path, index, term));
            }
        }

        return found;
    }
}
