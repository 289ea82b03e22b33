using System.Runtime.InteropServices;
using EdgeBroker.Transport.Linux;

namespace EdgeBroker.Transport.Reactors;

// The output goes out, and with its last byte the connection ends.
internal sealed unsafe partial class ReactorConnection
{
    /// <summary>Sends from the output until it is empty or the socket takes no more.</summary>
    public void Flush()
    {
        if (_closed || _lingering) return;
        LinuxSockets.IoVector* vectors = stackalloc LinuxSockets.IoVector[MaxVectors];
        while (true)
        {
            int count, total;
            lock (Output.SyncRoot.Alone()) count = Output.Gather(vectors, MaxVectors, out total);
            if (count == 0) break;
            nint sent = Send(vectors, count);
            if (sent < 0)
            {
                int error = Marshal.GetLastPInvokeError();
                if (error == LinuxSockets.ErrorInterrupted) continue;
                if (error == LinuxSockets.ErrorAgain) break;
                // What the peer had sent before is handled first; at its end reading finds the connection broken.
                if (IsClosing || _pausedByHandler || Peek() <= 0) Finish("the connection broke: " + Marshal.GetPInvokeErrorMessage(error));
                else lock (Output.SyncRoot.Alone()) Output.Clear();
                return;
            }

            lock (Output.SyncRoot.Alone()) Output.Consume((int)sent);
            if (sent < total) break;
        }

        AfterFlush();
    }

    private nint Send(LinuxSockets.IoVector* vectors, int count)
    {
        if (count == 1) return LinuxSockets.Send(_fd, vectors[0].Base, vectors[0].Length, LinuxSockets.NoSignal);
        var message = new LinuxSockets.MessageHeader { Vectors = vectors, VectorCount = count };
        return LinuxSockets.SendMessage(_fd, &message, LinuxSockets.NoSignal);
    }

    private void AfterFlush()
    {
        bool empty, callback;
        lock (Output.SyncRoot.Alone())
        {
            empty = Output.Length == 0;
            callback = empty && WantsCallbackWhenDrained;
            if (callback) WantsCallbackWhenDrained = false;
            if (callback && !IsClosing) RequestCallback();
        }

        if (!IsClosing) UpdateInterest(!empty);
        else if (empty && ClosesAtOnce) Finish("closed");
        else if (empty) BeginLinger();
        else AwaitDrain();
        if (_drain is not null) CheckDrain();
    }

    /// <summary>A peer that does not take our last bytes does not keep the connection open for ever.</summary>
    private void AwaitDrain()
    {
        UpdateInterest(writable: true);
        if (_closeDeadlineSet) return;
        _closeDeadlineSet = true;
        Reactor.Timers.Set(this, NowMs + LingerMs);
    }

    private void BeginLinger()
    {
        _lingering = true;
        _received.Clear();
        TellClosed("closed", isFault: false);
        _ = LinuxSockets.Shutdown(_fd, LinuxSockets.ShutdownWrite);
        Reactor.Timers.Set(this, NowMs + LingerMs);
        _pausedByHandler = false;
        UpdateInterest();
    }
}
