using System.Buffers;
using System.Runtime.InteropServices;
using EdgeBroker.Protocol;
using Microsoft.Win32.SafeHandles;

namespace EdgeBroker.Client;

/// <summary>Bounds of a <see cref="FileMessageStore"/>.</summary>
/// <param name="MaximumMessages">Messages it keeps; one more is refused.</param>
/// <param name="MaximumBytes">Bytes of these; the file has at most four times as many, and a megabyte.</param>
public sealed record FileMessageStoreOptions(int MaximumMessages = 100_000, long MaximumBytes = 64L << 20);

/// <summary>
/// Keeps messages in a file until the server has them, over the end of the process and power cuts: an append-only file of records with checksums, which says
/// what came and what is done with. What was promised is synced before. A record that was torn is cut off when the file is opened. Any thread; one process.
/// </summary>
public sealed partial class FileMessageStore : IAsyncDisposable
{
    private const long LeastToCompact = 1 << 20;
    private const int MostDead = 4;

    private readonly string _path;
    private readonly FileMessageStoreOptions _options;
    private readonly FileStream _mutex;
    private readonly Lock _lock = new();
    private readonly Dictionary<long, LiveRecord> _live = [];
    private List<StoredMessage> _recovered = [];
    private SafeFileHandle _file;
    private long _fileBytes;

    // Where the next record will stand, behind what is on its way to the file.
    private long _end;
    private long _liveBytes;
    private long _lastId;
    private ArrayBufferWriter<byte> _pending = new();
    private TaskCompletionSource? _promise;
    private TaskCompletionSource? _written;
    private Task _writing = Task.CompletedTask;
    private bool _isWriting;
    private MqttException? _fault;

    private FileMessageStore(string path, FileMessageStoreOptions options)
    {
        _path = path;
        _options = options;
        _mutex = new FileStream(path + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        try
        {
            _file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
            Recover();
        }
        catch
        {
            _file?.Dispose();
            _mutex.Dispose();
            throw;
        }
    }

    /// <summary>Messages that the server does not have yet.</summary>
    public int Count
    {
        get
        {
            lock (_lock) return _live.Count;
        }
    }

    /// <summary>Bytes cut off when the file was opened, because they were no whole record.</summary>
    public long TornBytes { get; private set; }

    /// <summary>Opens a store, or makes it.</summary>
    /// <param name="path">The file; its directory exists. Beside it stand <c>.lock</c> and, now and then, <c>.new</c>.</param>
    /// <param name="options">Bounds; null: the usual ones.</param>
    /// <exception cref="IOException">The file cannot be used, or another process uses it.</exception>
    /// <exception cref="InvalidDataException">The file is none of these.</exception>
    public static FileMessageStore Open(string path, FileMessageStoreOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new FileMessageStore(Path.GetFullPath(path), options ?? new FileMessageStoreOptions());
    }

    /// <summary>Writes what is left, and closes the file.</summary>
    public async ValueTask DisposeAsync()
    {
        Task writing;
        lock (_lock)
        {
            writing = _writing;
            _fault ??= new MqttException($"{_path} is closed.");
        }

        await writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _file.Dispose();
        await _mutex.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Takes what an earlier life left, oldest first; once.</summary>
    internal List<StoredMessage> TakeRecovered()
    {
        List<StoredMessage> recovered = _recovered;
        _recovered = [];
        return recovered;
    }

    /// <summary>Adds a message, whose number it gives; it is kept when the task has ended.</summary>
    /// <param name="message">The message.</param>
    /// <param name="expiresAt">When it expires; null: never.</param>
    /// <param name="kept">Ends when it is on disk.</param>
    /// <exception cref="MqttException">The store is full, or cannot be written.</exception>
    internal long Add(PublishMessage message, DateTimeOffset? expiresAt, out Task kept)
    {
        lock (_lock)
        {
            if (_fault is not null) throw _fault;
            int bytes = StoredMessage.LengthOf(message);
            // A server that is faster than the disk makes room that is none yet.
            if (_live.Count >= _options.MaximumMessages || Math.Max(_liveBytes, _pending.WrittenCount) + bytes > _options.MaximumBytes)
            {
                throw new MqttException(
                    $"{_live.Count} messages ({_liveBytes} bytes) wait in {_path} already, for the server or the disk; publish more slowly, "
                    + "or raise the store's bounds.",
                    ReasonCode.QuotaExceeded);
            }

            long id = ++_lastId;
            _live.Add(id, new LiveRecord(_end, bytes, IsReceived: false));
            _end += bytes;
            StoredMessage.Write(_pending, id, message, expiresAt);
            _liveBytes += bytes;
            _promise ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            kept = _promise.Task;
            Begin();
            return id;
        }
    }

    /// <summary>A message is done with. It may come again when the process ends before that is written.</summary>
    internal void Remove(long id)
    {
        lock (_lock)
        {
            if (!_live.Remove(id, out LiveRecord record)) return;
            _liveBytes -= record.Length;
            if (_fault is not null) return;
            _end += StoredMessage.WriteDone(_pending, id);
            Begin();
        }
    }

    /// <summary>
    /// The server has answered a message with PUBREC: from here on only PUBREL goes out for it. Ends when the file says so, over the end of the process: it is
    /// not synced, so that after a power cut the message may go once more. It ends, too, when the file cannot be written.
    /// </summary>
    internal Task NoteReceived(long id)
    {
        lock (_lock)
        {
            if (_fault is not null || !_live.TryGetValue(id, out LiveRecord record)) return Task.CompletedTask;
            _live[id] = record with { IsReceived = true };
            _end += StoredMessage.WriteReceived(_pending, id);
            _written ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            Task written = _written.Task;
            Begin();
            return written;
        }
    }

    private void Begin()
    {
        if (_isWriting) return;
        _isWriting = true;
        _writing = Task.Run(WriteAll);
    }

    /// <summary>The one writer: takes all there is, writes it, syncs where something was promised.</summary>
    private void WriteAll()
    {
        while (true)
        {
            ArrayBufferWriter<byte> batch;
            TaskCompletionSource? promise;
            TaskCompletionSource? written;
            lock (_lock)
            {
                if (_pending.WrittenCount == 0)
                {
                    _isWriting = false;
                    return;
                }

                (batch, _pending) = (_pending, new ArrayBufferWriter<byte>());
                (promise, _promise) = (_promise, null);
                (written, _written) = (_written, null);
            }

            try
            {
                RandomAccess.Write(_file, batch.WrittenSpan, _fileBytes);
                written?.TrySetResult();
                if (promise is not null) RandomAccess.FlushToDisk(_file);
                _fileBytes += batch.WrittenCount;
                promise?.TrySetResult();
                promise = null;
                CompactWhenDue();
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                written?.TrySetResult();
                Fail(failure, promise);
                return;
            }
        }
    }

    // After a failed sync the system may take for written what is not: nothing more is promised until the file is opened anew.
    private void Fail(Exception failure, TaskCompletionSource? promise)
    {
        var fault = new MqttException($"{_path} cannot be written: {failure.Message} Messages are not kept until it is opened anew.", null, failure);
        TaskCompletionSource? next;
        TaskCompletionSource? written;
        lock (_lock)
        {
            _fault = fault;
            _isWriting = false;
            (next, _promise) = (_promise, null);
            (written, _written) = (_written, null);
        }

        written?.TrySetResult();

        foreach (TaskCompletionSource? waiting in new[] { promise, next })
        {
            if (waiting?.TrySetException(fault) == true) _ = waiting.Task.Exception;
        }
    }

    /// <summary>Leaves out what is done with, when that is most of the file. On the writer, which alone changes the file.</summary>
    private void CompactWhenDue()
    {
        (long Id, LiveRecord Record)[] kept;
        lock (_lock)
        {
            if (_fileBytes < LeastToCompact || _fileBytes < MostDead * _liveBytes) return;
            // What is pending is written behind these, as it would be otherwise.
            kept =
            [
                .. _live.Where(one => one.Value.Offset < _fileBytes).Select(one => (one.Key, one.Value)).OrderBy(one => one.Value.Offset),
            ];
        }

        string fresh = _path + ".new";
        SafeFileHandle file = File.OpenHandle(fresh, FileMode.Create, FileAccess.ReadWrite, FileShare.Read);
        long end;
        try
        {
            end = Copy(file, kept);
            File.Move(fresh, _path, overwrite: true);
            SyncDirectory(Path.GetDirectoryName(_path)!);
        }
        catch
        {
            file.Dispose();
            throw;
        }

        _file.Dispose();
        _file = file;
        lock (_lock)
        {
            long shift = end - _fileBytes;
            foreach ((long id, LiveRecord one) in _live.Where(one => one.Value.Offset >= _fileBytes).ToList())
            {
                _live[id] = one with { Offset = one.Offset + shift };
            }

            foreach ((long id, LiveRecord moved) in kept)
            {
                if (_live.TryGetValue(id, out LiveRecord one)) _live[id] = one with { Offset = moved.Offset };
            }

            _end += shift;
        }

        _fileBytes = end;
    }

    /// <summary>Copies records into a new file, and has them be where they are there; returns its length.</summary>
    private long Copy(SafeFileHandle file, (long Id, LiveRecord Record)[] records)
    {
        long end = StoredMessage.WriteHeader(file);
        var notes = new ArrayBufferWriter<byte>();
        for (int i = 0; i < records.Length; i++)
        {
            (long id, LiveRecord one) = records[i];
            byte[] bytes = new byte[one.Length];
            StoredMessage.Fill(_file, bytes, one.Offset);
            RandomAccess.Write(file, bytes, end);
            records[i] = (id, one with { Offset = end });
            end += one.Length;
            if (one.IsReceived) StoredMessage.WriteReceived(notes, id);
        }

        RandomAccess.Write(file, notes.WrittenSpan, end);
        end += notes.WrittenCount;

        RandomAccess.FlushToDisk(file);
        return end;
    }

    private void Recover()
    {
        long length = RandomAccess.GetLength(_file);
        if (length < StoredMessage.HeaderBytes)
        {
            // New, or torn while it was made: nothing was promised yet.
            RandomAccess.SetLength(_file, 0);
            _end = _fileBytes = StoredMessage.WriteHeader(_file);
            RandomAccess.FlushToDisk(_file);
            SyncDirectory(Path.GetDirectoryName(_path)!);
            return;
        }

        StoredMessage.CheckHeader(_file, _path);
        _fileBytes = StoredMessage.HeaderBytes;
        var messages = new Dictionary<long, StoredMessage>();
        while (StoredMessage.TryRead(_file, _fileBytes, length, out StoredMessage record, out int bytes))
        {
            _lastId = Math.Max(_lastId, record.Id);
            if (record.Message is not null)
            {
                messages[record.Id] = record;
                _live[record.Id] = new LiveRecord(_fileBytes, bytes, IsReceived: false);
                _liveBytes += bytes;
            }
            else if (record.IsReceived)
            {
                if (_live.TryGetValue(record.Id, out LiveRecord received))
                {
                    _live[record.Id] = received with { IsReceived = true };
                    messages[record.Id] = messages[record.Id] with { IsReceived = true };
                }
            }
            else if (_live.Remove(record.Id, out LiveRecord done))
            {
                messages.Remove(record.Id);
                _liveBytes -= done.Length;
            }

            _fileBytes += bytes;
        }

        _end = _fileBytes;
        TornBytes = length - _fileBytes;
        if (TornBytes > 0)
        {
            RandomAccess.SetLength(_file, _fileBytes);
            RandomAccess.FlushToDisk(_file);
        }

        _recovered = [.. messages.Values.OrderBy(message => message.Id)];
    }

    private static void SyncDirectory(string directory)
    {
        if (!OperatingSystem.IsLinux()) return;
        int descriptor = Open(directory, 0);
        if (descriptor < 0) throw new IOException($"{directory} cannot be opened: error {Marshal.GetLastPInvokeError()}");
        int result = Sync(descriptor);
        int error = Marshal.GetLastPInvokeError();
        _ = Close(descriptor);
        if (result != 0) throw new IOException($"{directory} cannot be synced: error {error}");
    }

    /// <summary>Where a message stands in the file.</summary>
    /// <param name="Offset">Its first byte.</param>
    /// <param name="Length">Its bytes.</param>
    /// <param name="IsReceived">Whether the server has answered it with PUBREC.</param>
    private readonly record struct LiveRecord(long Offset, int Length, bool IsReceived);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int descriptor);
}
