using EdgeBroker.Crash.Tests.History;
using EdgeBroker.Protocol;
using EdgeBroker.Testing;

namespace EdgeBroker.Crash.Tests.Clients;

/// <summary>
/// A client with a persistent session: connects, loses the connection, connects again, and keeps its side of the session as the specification has it. Its state
/// is changed by its events only (<see cref="Apply"/>), so that it can be made anew as of any time of the history.
/// </summary>
public abstract class SessionClient
{
    private const uint SessionExpirySeconds = 86_400;

    private static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(5);

    private readonly Dictionary<MqttLink, TaskCompletionSource> _fences = [];

    /// <param name="identity">Who it is.</param>
    /// <param name="history">What has happened; the client's part of it is its state.</param>
    protected SessionClient(ClientIdentity identity, RunHistory history)
    {
        Identity = identity;
        History = history;
    }

    /// <summary>Who it is.</summary>
    public ClientIdentity Identity { get; }

    /// <summary>Whether it has an accepted connection and nothing of its own is unfinished.</summary>
    public bool IsSettled
    {
        get
        {
            lock (SyncRoot) return Link is not null && HasFinished;
        }
    }

    /// <summary>Whether it starts nothing new and stays connected, so that the run can end.</summary>
    public bool IsDraining { get; private set; }

    /// <summary>Where its events go.</summary>
    protected RunHistory History { get; }

    /// <summary>Guards the state. Under it nothing is awaited.</summary>
    protected Lock SyncRoot { get; } = new();

    /// <summary>The accepted connection; null: none.</summary>
    protected MqttLink? Link { get; private set; }

    /// <summary>What CONNECT says in 5.0 besides the session's expiry.</summary>
    protected virtual byte[] ConnectProperties => [];

    /// <summary>Whether nothing of its own is unfinished; asked under the lock.</summary>
    protected abstract bool HasFinished { get; }

    /// <summary>From now on it starts nothing new.</summary>
    public virtual void Drain() => IsDraining = true;

    /// <summary>Connects again and again, until cancelled.</summary>
    public async Task RunAsync(BrokerAddress address, CancellationToken stop)
    {
        try
        {
            while (true)
            {
                int port = await address.PortAsync(stop);
                using MqttLink? link = await MqttLink.TryOpenAsync(port, Identity.Version, stop);
                if (link is null || !await ConnectAsync(link, stop))
                {
                    // The broker is dying, or not yet up.
                    await Task.Delay(RetryAfter, stop);
                    continue;
                }

                await ServeAsync(link, stop);
                await BetweenConnectionsAsync(stop);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
    }

    /// <summary>Cuts the connection, if there is one, without a word: the network fails.</summary>
    public void CutConnection()
    {
        lock (SyncRoot) Link?.Cut();
    }

    /// <summary>
    /// Waits until the broker has answered everything sent, and has had its iterations to send what it owes; false when the connection ended meanwhile.
    /// </summary>
    public async Task<bool> FenceAsync()
    {
        for (int i = 0; i < 3; i++)
        {
            MqttLink? link;
            var answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (SyncRoot)
            {
                link = Link;
                if (link is null) return false;
                _fences[link] = answered;
            }

            if (!await link.TrySendAsync(Packets.Pingreq())) return false;
            try
            {
                await Deadline.Within(answered.Task, $"PINGRESP to {Identity.Id}");
            }
            catch (OperationCanceledException)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Brings the state up to date with an event of its own.</summary>
    protected abstract void Apply(in HistoryEvent e);

    /// <summary>A packet came.</summary>
    /// <param name="packet">The packet.</param>
    /// <param name="answers">What to send in answer.</param>
    protected abstract void Receive(ReceivedPacket packet, MemoryStream answers);

    /// <summary>What the client does on its own as long as a connection lasts.</summary>
    protected abstract Task ActAsync(MqttLink link, CancellationToken ended);

    /// <summary>What the client does between connections.</summary>
    protected virtual Task BetweenConnectionsAsync(CancellationToken stop) => Task.CompletedTask;

    /// <summary>Records an event of its own and applies it, as one step.</summary>
    protected void Happened(EventKind kind, int packetId = 0, int message = -1, int number = 0, string text = "")
    {
        lock (SyncRoot) Apply(History.Add(kind, Identity.Number, packetId, message, number, text));
    }

    /// <summary>Applies what it did before, as far as the history knows.</summary>
    protected void Remember()
    {
        foreach (HistoryEvent e in History.Events.Where(e => e.Client == Identity.Number)) Apply(e);
    }

    private async Task<bool> ConnectAsync(MqttLink link, CancellationToken stop)
    {
        byte[]? properties = Identity.Version == ProtocolVersion.V5 ? [.. Prop.SessionExpiry(SessionExpirySeconds), .. ConnectProperties] : null;
        if (!await link.TrySendAsync(link.Packets.Connect(Identity.Id, cleanStart: false, properties: properties))) return false;
        IReadOnlyList<ReceivedPacket> first = await link.ReceiveAsync(stop);
        if (first.Count == 0) return false;
        if (first[0].Type != PacketType.Connack || first[0].Reason != ReasonCode.Success)
        {
            Happened(EventKind.ConnectRefused, text: first[0].ToString());
            return false;
        }

        lock (SyncRoot)
        {
            Link = link;
            Happened(EventKind.Connected, number: first[0].SessionPresent ? 1 : 0);
        }

        return await HandleAsync(link, first.Skip(1));
    }

    private async Task ServeAsync(MqttLink link, CancellationToken stop)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task acting = ActAsync(link, ended.Token);
        try
        {
            while (true)
            {
                IReadOnlyList<ReceivedPacket> packets = await link.ReceiveAsync(stop);
                if (packets.Count == 0 || !await HandleAsync(link, packets)) break;
            }
        }
        finally
        {
            lock (SyncRoot)
            {
                Link = null;
                Happened(EventKind.Disconnected);
                if (_fences.Remove(link, out TaskCompletionSource? fence)) fence.TrySetCanceled(CancellationToken.None);
            }

            link.Cut();
            await ended.CancelAsync();
            await IgnoreCancellationAsync(acting);
        }
    }

    private async Task<bool> HandleAsync(MqttLink link, IEnumerable<ReceivedPacket> packets)
    {
        using var answers = new MemoryStream();
        foreach (ReceivedPacket packet in packets)
        {
            switch (packet.Type)
            {
                case PacketType.Pingresp:
                    lock (SyncRoot)
                    {
                        if (_fences.Remove(link, out TaskCompletionSource? fence)) fence.TrySetResult();
                    }

                    break;
                case PacketType.Disconnect:
                    // 0x8B: it was asked to stop. Anything else is a complaint about us.
                    if (packet.Reason != ReasonCode.ServerShuttingDown) Happened(EventKind.ProtocolBroken, text: $"DISCONNECT {packet.Reason}");
                    break;
                default:
                    Receive(packet, answers);
                    break;
            }
        }

        return answers.Length == 0 || await link.TrySendAsync(answers.GetBuffer().AsMemory(0, (int)answers.Length));
    }

    private static async Task IgnoreCancellationAsync(Task task)
    {
        try
        {
            await task;
        }
        catch (OperationCanceledException)
        {
        }
    }
}
