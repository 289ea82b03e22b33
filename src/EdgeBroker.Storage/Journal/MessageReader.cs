using System.Collections.Concurrent;
using EdgeBroker.Core.Journaling;
using EdgeBroker.Core.Messages;
using EdgeBroker.Storage.Rows;
using EdgeBroker.Storage.Sqlite;
using Microsoft.Extensions.Logging;

namespace EdgeBroker.Storage.Journal;

/// <summary>Reads messages of queues back, on a thread and a connection of its own, so that neither a reactor nor the writer waits for the disk.</summary>
internal sealed partial class MessageReader : IDisposable
{
    // Handed over in portions, so that a client gets the first messages while the rest is being read.
    private const int Portion = 64;

    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LogInterval = TimeSpan.FromSeconds(10);

    private readonly ConcurrentQueue<(SqliteSession Session, IReadOnlyList<SpilledDelivery> Deliveries)> _requests = new();
    private readonly AutoResetEvent _wake = new(false);
    private readonly Func<SqliteDatabase> _connect;
    private readonly Action<string> _damaged;
    private readonly AgeClock _age;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private SqliteDatabase? _database;
    private SqliteStatement? _begin;
    private SqliteStatement? _message;
    private SqliteStatement? _delivery;
    private long _lastLogged;
    private volatile bool _isStopping;
    private Thread? _thread;

    /// <param name="connect">Opens a connection that reads.</param>
    /// <param name="damaged">Told when the database turns out to be damaged.</param>
    /// <param name="age">The store's age.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Event ids 7120-7129.</param>
    public MessageReader(Func<SqliteDatabase> connect, Action<string> damaged, AgeClock age, TimeProvider time, ILogger logger)
    {
        _connect = connect;
        _damaged = damaged;
        _age = age;
        _time = time;
        _logger = logger;
    }

    /// <summary>Starts the thread.</summary>
    public void Start()
    {
        _thread = new Thread(Run) { IsBackground = true, Name = "journal reader" };
        _thread.Start();
    }

    /// <summary>Requests messages of a session; its owner gets them.</summary>
    public void Request(SqliteSession session, IReadOnlyList<SpilledDelivery> deliveries)
    {
        _requests.Enqueue((session, deliveries));
        _wake.Set();
    }

    /// <summary>Ends the thread.</summary>
    public void Stop()
    {
        _isStopping = true;
        _wake.Set();
        _thread?.Join();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Stop();
        Close();
        _wake.Dispose();
    }

    private void Run()
    {
        while (!_isStopping)
        {
            if (_requests.TryDequeue(out (SqliteSession Session, IReadOnlyList<SpilledDelivery> Deliveries) next)) Serve(next.Session, next.Deliveries);
            else _wake.WaitOne();
        }
    }

    private void Serve(SqliteSession session, IReadOnlyList<SpilledDelivery> deliveries)
    {
        for (int i = 0; i < deliveries.Count && !_isStopping;)
        {
            var loaded = new List<LoadedDelivery>(Math.Min(Portion, deliveries.Count - i));
            for (; i < deliveries.Count && loaded.Count < Portion && !_isStopping; i++) loaded.Add(Read(session, deliveries[i]));
            EndPortion();
            if (!_isStopping) session.Owner?.OnLoaded(loaded);
        }
    }

    // No longer than a portion, or the WAL could not start over meanwhile.
    private void EndPortion()
    {
        try
        {
            _database?.Rollback();
        }
        catch (SqliteException failure)
        {
            LogFailure(failure);
            Close();
        }
    }

    // With its statements, which would keep it open, and a transaction with it.
    private void Close()
    {
        _begin?.Dispose();
        _message?.Dispose();
        _delivery?.Dispose();
        _database?.Dispose();
        _database = null;
    }

    /// <summary>Reads one, as often as it takes: a disk that fails may recover. A row that is damaged by itself is lost, and said to be.</summary>
    private LoadedDelivery Read(SqliteSession session, in SpilledDelivery delivery)
    {
        while (!_isStopping)
        {
            try
            {
                return TryRead(session, delivery);
            }
            catch (SqliteException failure)
            {
                LogFailure(failure);
                Close();
                if (failure.IsCorrupt)
                {
                    // What can be rescued is found out when it is set aside; until then nobody is told that a message is lost.
                    _damaged(failure.Message);
                    _isStopping = true;
                    break;
                }

                _wake.WaitOne(RetryInterval);
            }
        }

        return new LoadedDelivery(delivery.Position, null, null, null);
    }

    private LoadedDelivery TryRead(SqliteSession session, in SpilledDelivery delivery)
    {
        if (_database is null)
        {
            _database = _connect();
            _begin = _database.Prepare("BEGIN");
            _message = _database.Prepare($"SELECT {StoredMessage.Columns} FROM message WHERE id = ?1");
            _delivery = _database.Prepare("SELECT first_message, receivers FROM delivery WHERE first_message <= ?1 ORDER BY first_message DESC LIMIT 1");
        }

        // One transaction for a portion: of each read by itself the file locks would be most of the work.
        if (!_database.InTransaction) _begin!.Run();
        Message? message = ReadMessage(delivery.MessageId);
        if (message is null) LogLost(_logger, delivery.MessageId, session.ClientId);
        Receiver? details = (delivery.Options & (DeliveryOptions.HasIdentifiers | DeliveryOptions.IsShared)) != 0 ? FindReceiver(session.Id, delivery) : null;
        return new LoadedDelivery(delivery.Position, message, details?.SubscriptionIdentifiers, details?.SharedFilter);
    }

    private Message? ReadMessage(long id)
    {
        _message!.Bind(1, id);
        try
        {
            return _message.Step() ? StoredMessage.Read(_message, 0, _age) : null;
        }
        finally
        {
            _message.Reset();
        }
    }

    private Receiver? FindReceiver(long session, in SpilledDelivery delivery)
    {
        _delivery!.Bind(1, delivery.MessageId);
        try
        {
            if (!_delivery.Step()) return null;
            long id = _delivery.Int64(0);
            var blob = new BlobReader(_delivery.Blob(1));
            for (; Receivers.TryReadMessage(ref blob, out WaitingMessage message); id++)
            {
                for (int i = 0; i < message.Receivers && Receivers.TryRead(ref blob, out Receiver receiver); i++)
                {
                    if (id == delivery.MessageId && receiver.Session == session && receiver.Position == delivery.Position) return receiver;
                }
            }

            return null;
        }
        finally
        {
            _delivery.Reset();
        }
    }

    private void LogFailure(SqliteException failure)
    {
        if (_lastLogged != 0 && _time.GetElapsedTime(_lastLogged) < LogInterval) return;
        _lastLogged = _time.GetTimestamp();
        LogUnreadable(_logger, failure.Message);
    }

    [LoggerMessage(7120, LogLevel.Error, "queued messages cannot be read back: {Cause}")]
    private static partial void LogUnreadable(ILogger logger, string cause);

    [LoggerMessage(7121, LogLevel.Error, "message {Id} of {ClientId} is damaged in the store and cannot be delivered")]
    private static partial void LogLost(ILogger logger, long id, string clientId);
}
