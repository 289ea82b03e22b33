using System.Text;

namespace EdgeBroker.Crash.Tests.Disk;

/// <summary>The directory as it could be found after a power cut at a position of the log.</summary>
public sealed class DiskImage
{
    private readonly DiskNames _names = new();
    private readonly Dictionary<ulong, DiskFile> _files = [];
    private readonly Random _random;

    private DiskImage(Random random) => _random = random;

    /// <summary>Follows the log up to a position and cuts the power there.</summary>
    /// <param name="log">What was done.</param>
    /// <param name="position">The end of the last record that happened.</param>
    /// <param name="survival">What is left of that which was not synced.</param>
    /// <param name="random">Decides what survives.</param>
    public static DiskImage At(DiskLog log, long position, Survival survival, Random random)
    {
        var image = new DiskImage(random);
        foreach (DiskRecord record in log.Records)
        {
            if (record.End > position) break;
            image.Follow(record);
        }

        long lastPosition = random.NextInt64(position + 1);
        int survivingPercent = random.Next(5, 96);
        foreach (DiskFile file in image._files.Values.Distinct()) file.Cut(survival, lastPosition, survivingPercent, random);
        image._names.Cut(survival, lastPosition, random);
        return image;
    }

    /// <summary>Writes it into an empty directory.</summary>
    public void WriteTo(string directory)
    {
        foreach ((string name, DiskFile? file) in _names.Certain.OrderBy(n => n.Key, StringComparer.Ordinal))
        {
            string path = Path.Combine(directory, name);
            if (file is null)
            {
                Directory.CreateDirectory(path);
                continue;
            }

            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, file.Content);
        }
    }

    /// <summary>
    /// How the image differs from a directory, one line each; SQLite's -shm, which is mapped and not written, left aside. Of an image that everything survived
    /// it says whether the log is whole.
    /// </summary>
    public IReadOnlyList<string> Differences(string directory)
    {
        var found = Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories)
            .ToDictionary(path => Path.GetRelativePath(directory, path), File.ReadAllBytes, StringComparer.Ordinal);
        var differences = new List<string>();
        foreach (string name in found.Keys.Union(_names.Certain.Where(n => n.Value is not null).Select(n => n.Key))
            .Where(n => !n.EndsWith("-shm", StringComparison.Ordinal)))
        {
            if (!found.TryGetValue(name, out byte[]? real))
            {
                differences.Add($"{name} is not there");
            }
            else if (_names.Certain.GetValueOrDefault(name) is not { } file)
            {
                differences.Add($"{name} is not in the log");
            }
            else if (!file.Content.SequenceEqual(real))
            {
                differences.Add(
                    $"{name}: {real.Length} bytes there, {file.Length} in the log, the first difference at {file.Content.CommonPrefixLength(real)}");
            }
        }

        return differences;
    }

    private void Follow(in DiskRecord record)
    {
        switch (record.Kind)
        {
            case DiskRecordKind.Create:
                _names.Add(record.End, Text(record), _files[record.File] = new DiskFile());
                break;
            case DiskRecordKind.Open:
                _files[record.File] = _names.Find(Text(record)) ?? throw new InvalidDataException($"{Text(record)} was there before the log began");
                break;
            case DiskRecordKind.Write:
                _files[record.File].Write(record.End, record.A, record.Data);
                break;
            case DiskRecordKind.Truncate:
                _files[record.File].Truncate(record.End, record.A);
                break;
            case DiskRecordKind.Unlink or DiskRecordKind.RemoveDirectory:
                _names.Remove(record.End, Text(record));
                break;
            case DiskRecordKind.MakeDirectory:
                _names.Add(record.End, Text(record), null);
                break;
            case DiskRecordKind.Rename:
                string[] renamed = Text(record).Split('\0');
                _names.Rename(record.End, renamed[0], renamed[1]);
                break;
            case DiskRecordKind.Link:
                string[] linked = Text(record).Split('\0');
                _names.Add(record.End, linked[1], _names.Find(linked[0]));
                break;
            default:
                FollowSync(record);
                break;
        }
    }

    private void FollowSync(in DiskRecord record)
    {
        switch (record.Kind)
        {
            case DiskRecordKind.Sync when record.B == 0:
                // One that was opened for reading only may be synced; it holds nothing of ours.
                _files.GetValueOrDefault(record.File)?.Sync(record.A);
                break;
            case DiskRecordKind.Sync:
                _files.GetValueOrDefault(record.File)?.SyncFailed(record.A, _random);
                break;
            case DiskRecordKind.SyncDirectory when record.B == 0:
                _names.Sync(Text(record), record.A);
                break;
            case DiskRecordKind.SyncAll:
                foreach (DiskFile file in _files.Values.Distinct()) file.Sync(record.A);
                _names.SyncAll(record.A);
                break;
        }
    }

    private static string Text(in DiskRecord record) => Encoding.UTF8.GetString(record.Data.Span);
}
