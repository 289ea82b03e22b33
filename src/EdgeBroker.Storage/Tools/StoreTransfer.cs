namespace EdgeBroker.Storage.Tools;

/// <summary>What was written to a file of JSON lines, or read from one.</summary>
/// <param name="Sessions">Sessions.</param>
/// <param name="Subscriptions">Their subscriptions.</param>
/// <param name="Messages">Messages that wait for someone.</param>
/// <param name="Retained">Retained messages.</param>
public readonly record struct StoreTransfer(int Sessions, int Subscriptions, long Messages, int Retained);
