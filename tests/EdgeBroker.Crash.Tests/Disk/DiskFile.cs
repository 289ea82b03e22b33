namespace EdgeBroker.Crash.Tests.Disk;

/// <summary>One file: what of it is on the disk for certain, and what was done to it since.</summary>
internal sealed class DiskFile
{
    private const int SectorBytes = 512;

    private readonly List<Change> _pending = [];
    private byte[] _content = [];

    /// <summary>Its length on the disk.</summary>
    public int Length { get; private set; }

    /// <summary>What is on the disk.</summary>
    public ReadOnlySpan<byte> Content => _content.AsSpan(0, Length);

    public void Write(long position, long offset, ReadOnlyMemory<byte> data) => _pending.Add(new Change(position, (int)offset, data, Truncates: false));

    public void Truncate(long position, long length) => _pending.Add(new Change(position, (int)length, default, Truncates: true));

    /// <summary>A sync that began at a position makes certain what was done before.</summary>
    public void Sync(long began)
    {
        foreach (Change change in _pending.Where(c => c.Position <= began)) Apply(change);
        _pending.RemoveAll(c => c.Position <= began);
    }

    /// <summary>
    /// A sync that failed: Linux takes the pages for clean afterwards, so no later sync writes what this one did not. Whether it reached the disk is decided
    /// here.
    /// </summary>
    public void SyncFailed(long began, Random random)
    {
        foreach (Change change in _pending.Where(c => c.Position <= began))
        {
            if (random.Next(2) == 0) Apply(change);
        }

        _pending.RemoveAll(c => c.Position <= began);
    }

    /// <summary>The power goes.</summary>
    /// <param name="lastPosition">Of a disk that writes in order: up to where it came.</param>
    public void Cut(Survival survival, long lastPosition, int survivingPercent, Random random)
    {
        bool torn = false;
        foreach (Change change in _pending)
        {
            switch (survival)
            {
                case Survival.Everything:
                    Apply(change);
                    break;
                case Survival.Prefix when change.Position <= lastPosition:
                    Apply(change);
                    break;
                case Survival.Prefix when !torn:
                    torn = true;
                    ApplySectors(change, 50, random);
                    break;
                case Survival.AnySectors:
                    ApplySectors(change, survivingPercent, random);
                    break;
            }
        }

        _pending.Clear();
    }

    private void ApplySectors(Change change, int survivingPercent, Random random)
    {
        if (change.Truncates)
        {
            if (random.Next(100) < survivingPercent) Apply(change);
            return;
        }

        int end = change.Offset + change.Data.Length;
        for (int from = change.Offset; from < end;)
        {
            int to = Math.Min(end, (from / SectorBytes + 1) * SectorBytes);
            if (random.Next(100) < survivingPercent) Apply(change with { Offset = from, Data = change.Data[(from - change.Offset)..(to - change.Offset)] });
            from = to;
        }

        // The new length may be on the disk without the data: the rest reads as zeros.
        if (end > Length && random.Next(4) == 0) Resize(end);
    }

    private void Apply(Change change)
    {
        if (change.Truncates)
        {
            Resize(change.Offset);
            return;
        }

        if (change.Offset + change.Data.Length > Length) Resize(change.Offset + change.Data.Length);
        change.Data.Span.CopyTo(_content.AsSpan(change.Offset));
    }

    private void Resize(int length)
    {
        if (length < Length) _content.AsSpan(length, Length - length).Clear();
        if (length > _content.Length) Array.Resize(ref _content, Math.Max(length, _content.Length * 2));
        Length = length;
    }

    private readonly record struct Change(long Position, int Offset, ReadOnlyMemory<byte> Data, bool Truncates);
}
